import { expect, test } from "vitest";
import { binRemark, changesInOrder, changesOf, heights, isQuiet, shared, type Snapshot, sourcesOf } from "./change";

const snapshot = (source: string, time: string, kinds: Snapshot["kinds"] = {}): Snapshot => ({
  id: `${source}-${time}`, repository: "default", service: "azure-devops", source, address: `https://dev.azure.com/${source}`, time, run: "r", items: 1, kinds, stale_parts: [], stale_items: 0,
});

test("changes are those of all kinds", () => {
  const changes = changesOf(snapshot("a", "2", {
    team: { items: 9, added: 1, changed: 2, removed: 0 },
    area: { items: 9, added: 0, changed: 1, removed: 4 },
  }));
  expect(changes).toEqual({ added: 1, changed: 3, removed: 4 });
  expect(isQuiet(changes)).toBe(false);
  expect(isQuiet(changesOf(snapshot("a", "2")))).toBe(true);
});

test("one large snapshot does not hide the small ones", () => {
  const [first, small, none] = heights([100_000, 3, 0]);
  expect(first).toBe(1);
  expect(small).toBeGreaterThan(0.1);
  expect(none).toBe(0);
  expect(heights([0, 0])).toEqual([0, 0]);
});

test("every connector and every source that has snapshots is a place, once", () => {
  const sources = sourcesOf(
    [
      { connector: "main", service: "azure-devops", organization: "Contoso", address: "https://dev.azure.com/contoso" },
      { connector: "new", service: "azure-devops", organization: "fabrikam", address: "https://dev.azure.com/fabrikam" },
      { connector: "again", service: "azure-devops", organization: "contoso", address: "https://dev.azure.com/contoso" },
      { service: "azure-devops", organization: "old", address: "https://dev.azure.com/old" },
    ],
    [snapshot("contoso", "3"), snapshot("old", "2"), snapshot("contoso", "1")],
  );
  expect(sources.map(({ source, connector, newest }) => [source, connector, newest?.time])).toEqual([
    ["Contoso", "main", "3"],
    ["fabrikam", "new", undefined],
    ["old", undefined, "2"],
  ]);
});

test("a source whose connector is gone has its place, however many snapshots of others are newer", () => {
  const gone = { connector: null, service: "azure-devops", organization: "old", address: "https://dev.azure.com/old" };
  expect(sourcesOf([gone], [snapshot("contoso", "3")]).map(({ source, connector, newest }) => [source, connector, newest])).toEqual([["old", undefined, undefined]]);
});

test("why nobody can tell where a connector leads stays with its place", () => {
  const connector = { connector: "lost", service: "azure-devops", organization: "lost", address: null, address_error: "relative URL without a base" };
  expect(sourcesOf([connector], []).map(({ unplaced }) => unplaced)).toEqual(["relative URL without a base"]);
});

test("two servers with a collection of one name are two places", () => {
  const at = (host: string) => `https://${host}.example/tfs/defaultcollection`;
  const sources = sourcesOf(
    [
      { connector: "one", service: "azure-devops", organization: "DefaultCollection", address: at("one") },
      { service: "azure-devops", organization: "DefaultCollection", address: at("other") },
    ],
    [{ ...snapshot("defaultcollection", "2"), address: at("other") }, { ...snapshot("defaultcollection", "1"), address: at("one") }],
  );
  expect(sources.map(({ address, connector, newest }) => [address, connector, newest?.time])).toEqual([
    [at("one"), "one", "1"],
    [at("other"), undefined, "2"],
  ]);
  expect([...shared(sources)]).toEqual(["defaultcollection"]);
});

test("differences stand kind by kind, work items by number", () => {
  const of = (kind: string, id: string, name: string) => ({ kind, id, after: { name } });
  const all = [of("team", "b", "Web 10"), of("team", "a", "Web 9"), of("work-item", "10", "x"), of("work-item", "9", "y")];
  expect(changesInOrder(all).map(({ id }) => id)).toEqual(["a", "b", "9", "10"]);
});

test("a difference says whether its item lies in the recycle bin, came there or came back", () => {
  const [live, binned] = [{ binned: false }, { binned: true }];
  expect(binRemark(live, binned)).toBe("into");
  expect(binRemark(binned, live)).toBe("from");
  expect([binRemark(binned, binned), binRemark(undefined, binned)]).toEqual(["in", "in"]);
  expect([binRemark(live, live), binRemark(binned, undefined), binRemark(undefined, live)]).toEqual([undefined, undefined, undefined]);
});
