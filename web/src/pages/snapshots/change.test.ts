import { expect, test } from "vitest";
import { changesOf, heights, isQuiet, shared, type Snapshot, sourcesOf } from "./change";

const snapshot = (source: string, time: string, kinds: Snapshot["kinds"] = {}): Snapshot => ({
  id: `${source}-${time}`, repository: "default", service: "azure-devops", source, address: `https://dev.azure.com/${source}`, time, run: "r", items: 1, kinds,
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
      { name: "main", service: "azure-devops", organization: "Contoso", address: "https://dev.azure.com/contoso" },
      { name: "new", service: "azure-devops", organization: "fabrikam", address: "https://dev.azure.com/fabrikam" },
    ],
    [snapshot("contoso", "3"), snapshot("old", "2"), snapshot("contoso", "1")],
  );
  expect(sources.map(({ source, connector, snapshots, newest }) => [source, connector, snapshots, newest?.time])).toEqual([
    ["Contoso", "main", 2, "3"],
    ["fabrikam", "new", 0, undefined],
    ["old", undefined, 1, "2"],
  ]);
});

test("two servers with a collection of one name are two places", () => {
  const at = (host: string) => `https://${host}.example/tfs/defaultcollection`;
  const sources = sourcesOf(
    [{ name: "one", service: "azure-devops", organization: "DefaultCollection", address: at("one") }],
    [{ ...snapshot("defaultcollection", "2"), address: at("other") }, { ...snapshot("defaultcollection", "1"), address: at("one") }],
  );
  expect(sources.map(({ address, connector, newest }) => [address, connector, newest?.time])).toEqual([
    [at("one"), "one", "1"],
    [at("other"), undefined, "2"],
  ]);
  expect([...shared(sources)]).toEqual(["defaultcollection"]);
});
