import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { before, compared } from "./compare";
import { changes, ended, seconds, standing, subject } from "./standing";

type Run = Schemas["RunView"];

const NOW = Date.parse("2026-11-22T12:00:00Z");

function run(more: Partial<Run> = {}): Run {
  return {
    id: "2",
    kind: "backup",
    connector: "contoso",
    repository: "main",
    state: "succeeded",
    reason: "schedule",
    created: "2026-11-22T11:00:00Z",
    finished: "2026-11-22T11:10:00Z",
    counts: { requests: 10, bytes_received: 1000, bytes_stored: 500, kinds: { "work-item": { items: 100, added: 3, changed: 2, removed: 1 } } },
    ...more,
  };
}

test("a run that waits says why and until when", () => {
  const waiting = { code: "throttled", message: "the service asked for it", until: "2026-11-22T12:05:00Z" };
  expect(standing(run({ state: "running", finished: null, waiting }), NOW)).toEqual({
    state: "throttled",
    tone: "waiting",
    why: "the service asked for it",
    until: "2026-11-22T12:05:00Z",
  });
  expect(standing(run({ state: "queued", waiting: { code: "source-busy", message: "contoso is busy" } }), NOW)).toEqual({
    state: "queued",
    tone: "waiting",
    why: "contoso is busy",
  });
});

test("a wait that is over is not told, nor one of a run that has ended", () => {
  const waiting = { code: "throttled", message: "slow", until: "2026-11-22T11:59:59Z" };
  expect(standing(run({ state: "running", waiting }), NOW)).toEqual({ state: "running", tone: "working" });
  expect(standing(run({ state: "canceled", waiting: { ...waiting, until: null } }), NOW)).toEqual({ state: "canceled", tone: "neutral" });
});

test("a failed run tells its error, and a state of a newer server is shown as it is", () => {
  expect(standing(run({ state: "failed", error: "no disk" }), NOW)).toEqual({ state: "failed", tone: "bad", why: "no disk" });
  expect(standing(run({ state: "paused" }), NOW)).toEqual({ state: "paused", tone: "neutral" });
});

test("a check that found damage is not told as one that failed", () => {
  const check = run({ kind: "check", state: "failed", error: "repository main is damaged: 2 problems", result: { damage: 2, notes: 1 } });
  expect(standing(check, NOW)).toEqual({ state: "damaged", tone: "bad", why: "repository main is damaged: 2 problems" });
  expect(ended({ ...check, result: { damage: 0, notes: 1 } })).toBe("failed");
  expect(ended({ ...check, result: null })).toBe("failed");
  expect(ended({ ...check, state: "running" })).toBeUndefined();
  expect(ended({ ...check, state: "canceled" })).toBe("canceled");
});

test("an open run has lasted until now, and a clock that is wrong makes no negative time", () => {
  expect(seconds(run({ finished: null }), NOW)).toBe(3600);
  expect(seconds(run({ created: "2026-11-22T13:00:00Z", finished: null }), NOW)).toBe(0);
});

test("maintenance is about a repository", () => {
  expect(subject(run({ kind: "prune", connector: "" }))).toBe("main");
  expect(subject(run())).toBe("contoso");
  expect(changes(run())).toBe(6);
});

test("the run before is the last good one of the same kind, connector and repository", () => {
  const now = run({ id: "9", created: "2026-11-22T11:00:00Z" });
  const runs = [
    now,
    run({ id: "8", created: "2026-11-22T10:00:00Z", state: "failed" }),
    run({ id: "7", created: "2026-11-22T09:00:00Z", kind: "restore" }),
    run({ id: "6", created: "2026-11-22T08:00:00Z", repository: "copy" }),
    run({ id: "4", created: "2026-11-20T08:00:00Z" }),
    run({ id: "5", created: "2026-11-21T08:00:00Z", state: "succeeded_with_issues" }),
    run({ id: "10", created: "2026-11-22T12:00:00Z" }),
  ];
  expect(before(now, runs)?.id).toBe("5");
  expect(before(run({ id: "4", created: "2026-11-20T08:00:00Z" }), runs)).toBeUndefined();
});

test("a quiet backup is not compared with one that read everything, nor with half a one", () => {
  const full = { full: true };
  const runs = [
    run({ id: "1", created: "2026-11-18T08:00:00Z", result: full }),
    run({ id: "2", created: "2026-11-19T08:00:00Z" }),
    run({ id: "3", created: "2026-11-20T08:00:00Z", result: full }),
    run({ id: "4", created: "2026-11-21T08:00:00Z", resumed_from: "0" }),
    run({ id: "5", created: "2026-11-21T09:00:00Z", policy: "another" }),
  ];
  const quiet = run({ id: "9", created: "2026-11-22T11:00:00Z" });
  expect(before(quiet, runs)?.id).toBe("2");
  expect(before({ ...quiet, result: full }, runs)?.id).toBe("3");
  expect(before({ ...quiet, result: { forgotten: [] } }, runs)?.id).toBe("2");
});

test("the second run ever is compared with the first, which read everything, if it was of the same kinds", () => {
  const kind = { items: 1, added: 0, changed: 0, removed: 0 };
  const of = (...kinds: string[]) => ({ requests: 1, bytes_received: 0, bytes_stored: 0, kinds: Object.fromEntries(kinds.map((name) => [name, kind])) });
  const first = run({ id: "1", created: "2026-11-18T08:00:00Z", result: { full: true }, counts: of("team", "wiki") });
  const second = run({ id: "2", created: "2026-11-19T08:00:00Z", counts: of("wiki", "team") });
  expect(before(second, [first, second])?.id).toBe("1");
  expect(before({ ...second, counts: of("wiki") }, [first, second])).toBeUndefined();
});

test("what doubled strikes, what is small does not, and more issues always do", () => {
  const then = run({ counts: { requests: 150, bytes_received: 0, bytes_stored: 100, kinds: {} } });
  const now = run({ counts: { requests: 400, bytes_received: 5, bytes_stored: 900, kinds: {} } });
  const rows = compared(now, then, { now: 1, then: 0 });
  expect(rows.filter((row) => row.striking).map((row) => row.measure)).toEqual(["requests", "issues"]);
  expect(rows.find((row) => row.measure === "received")?.growth).toBeNull();
});

test("a quiet run after a busy one is nothing unusual, half of the items is", () => {
  const kind = (items: number, added: number) => ({ "work-item": { items, added, changed: 0, removed: 0 } });
  const busy = run({ counts: { requests: 5000, bytes_received: 9e9, bytes_stored: 9e9, kinds: kind(1000, 1000) } });
  const quiet = run({ counts: { requests: 10, bytes_received: 10, bytes_stored: 10, kinds: kind(1000, 0) } });
  const lost = run({ counts: { requests: 10, bytes_received: 10, bytes_stored: 10, kinds: kind(400, 0) } });
  expect(compared(quiet, busy).filter((row) => row.striking)).toEqual([]);
  expect(compared(lost, busy).filter((row) => row.striking).map((row) => row.measure)).toEqual(["items"]);
});
