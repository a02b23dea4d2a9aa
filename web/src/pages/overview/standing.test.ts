import { expect, test } from "vitest";
import { coverage, deduplication, needs, type Overview, sorted, type Source, unprotectedOf, verdict } from "./standing";

const NOW = Date.parse("2026-11-22T12:00:00Z");

const source = (connector: string, more: Partial<Source> = {}): Source => ({
  connector,
  service: "azure-devops",
  organization: connector,
  state: "protected",
  last_good: { snapshot: "s", at: "2026-11-22T00:00:00Z" },
  objective_days: 7,
  items: 1,
  policy: "default",
  next_run: null,
  age_seconds: 43_200,
  ...more,
});

function overview(more: Partial<Overview> = {}): Overview {
  return {
    sources: [source("contoso")],
    storage: { repositories: [{ name: "main", location: "/backups", bytes: 1 }], raw_bytes: 0, stored_bytes: 0, growth: [] },
    requests: { last_day: 0, throttled_seconds: 0, connectors: [] },
    alarms: { open: 0, critical: 0 },
    unprotected: [],
    next_runs: [],
    runs: { last_day: { succeeded: 1, with_issues: 0, failed: 0, canceled: 0 } },
    waiting_proposals: 0,
    ...more,
  };
}

const keys = (of: Partial<Overview>) => needs(overview(of)).map(({ key }) => key);

test("all is well only when nothing needs anybody", () => {
  expect(verdict(overview())).toMatchObject({ key: "well", tone: "good" });
  expect(verdict(overview({ sources: [] })).key).toBe("empty");
  expect(verdict(overview({ waiting_proposals: 1 }))).toMatchObject({ key: "wellWithNotes", tone: "good" });
  expect(verdict(overview({ sources: [source("a"), source("b", { state: "late" })] }))).toMatchObject({
    key: "attention",
    tone: "warning",
    values: { all: 2, good: 1, count: 1 },
  });
  expect(verdict(overview({ sources: [source("a"), source("b", { state: "partial" })] }))).toMatchObject({ key: "attention", tone: "warning" });
  expect(verdict(overview({ sources: [source("a", { state: "failing" })] })).tone).toBe("bad");
});

test("a critical alarm or a damaged repository is never well, however good the sources are", () => {
  expect(verdict(overview({ alarms: { open: 1, critical: 1 } })).tone).toBe("bad");
  const storage = { ...overview().storage, repositories: [{ name: "main", location: "/backups", bytes: 1, damaged: "2026-11-20T00:00:00Z" }] };
  expect(verdict(overview({ storage })).tone).toBe("bad");
});

test("what presses most comes first, and no trouble is told twice", () => {
  const last_day = { succeeded: 0, with_issues: 2, failed: 3, canceled: 1 };
  expect(
    keys({
      sources: [source("a", { state: "late" }), source("b", { state: "failing" }), source("c", { state: "unprotected" })],
      alarms: { open: 3, critical: 1 },
      runs: { last_day },
      waiting_proposals: 1,
      unprotected: [{ connector: "a", kind: "project", name: "New" }],
    }),
  ).toEqual(["critical", "failing", "unprotected", "late", "alarms", "things", "issues", "proposals"]);
  expect(keys({ runs: { last_day } })).toEqual(["failed", "issues"]);
});

test("a hundred late sources are one line", () => {
  const sources = Array.from({ length: 100 }, (_, number) => source(`s${number}`, { state: "late" }));
  expect(needs(overview({ sources }))).toEqual([
    { key: "lateMany", tone: "warning", values: { count: 100 }, to: "/", search: { state: "late" } },
  ]);
});

test("coverage counts by age, and what never succeeded by none", () => {
  const at = (time: string) => ({ snapshot: null, at: time });
  const sources = [
    source("a"),
    source("b", { last_good: at("2026-11-12T12:00:00Z") }),
    source("c", { last_good: at("2026-10-23T12:00:00Z") }),
    source("d", { last_good: null }),
  ];
  expect(coverage(sources, NOW).map(({ covered }) => covered)).toEqual([1, 2, 3]);
});

test("sources, unprotected things and deduplication", () => {
  const sources = [source("z"), source("b", { state: "late" }), source("a"), source("c", { state: "failing" })];
  expect(sorted(sources).map(({ connector }) => connector)).toEqual(["c", "b", "a", "z"]);
  const thing = (connector: string, kind: string, name: string) => ({ connector, kind, name });
  expect(unprotectedOf([thing("a", "project", "P"), thing("a", "user", "U"), thing("a", "project", "Q")])).toEqual([
    { connector: "a", kind: "project", names: ["P", "Q"] },
    { connector: "a", kind: "user", names: ["U"] },
  ]);
  const storage = { ...overview().storage, raw_bytes: 30, stored_bytes: 10 };
  expect([deduplication(storage), deduplication({ ...storage, stored_bytes: 0 })]).toEqual([3, null]);
});

test("a connector whose address nobody can tell is no protected source, and is told once", () => {
  const unplaced = source("lost", { address: null, address_error: "this program does not know the service" });
  const beside = overview({ sources: [source("contoso", { state: "late" }), unplaced] });
  expect(needs(beside).map(({ key, tone, params }) => [key, tone, params])).toEqual([
    ["unplaced", "bad", { name: "lost" }],
    ["late", "warning", { name: "contoso" }],
  ]);
  expect(verdict(beside)).toMatchObject({ key: "trouble", tone: "bad", values: { all: 2, good: 0 } });
  expect(sorted(beside.sources).map(({ connector }) => connector)).toEqual(["lost", "contoso"]);
  // It may be failing too: the address is what has to be mended.
  expect(keys({ sources: [{ ...unplaced, state: "failing" }] })).toEqual(["unplaced"]);
});

test("what has snapshots and no connector is told, and alone it means that nothing is protected", () => {
  const orphan = source("gone", { connector: null, organization: "gone", state: "unprotected" });
  const beside = overview({ sources: [source("contoso"), orphan] });
  expect(verdict(beside)).toMatchObject({ key: "wellWithNotes", tone: "good", values: { all: 1 } });
  expect(needs(beside)).toEqual([{ key: "orphan", tone: "waiting", to: "/connect", values: { organization: "gone" } }]);
  const placed = { ...orphan, address: "https://tfs.example/gone" };
  expect(needs(overview({ sources: [source("contoso"), placed] }))[0]).toMatchObject({
    ...{ to: "/connect/$kind", params: { kind: "azure-devops-server" }, search: { organization: "gone", url: "https://tfs.example" } },
  });
  expect(verdict(overview({ sources: [orphan] }))).toMatchObject({ key: "reconnect", tone: "bad", values: { count: 1 } });
  expect(coverage([source("contoso"), orphan], NOW).map(({ all }) => all)).toEqual([1, 1, 1]);
  expect(sorted([orphan, source("z")]).map(({ organization }) => organization)).toEqual(["z", "gone"]);
});
