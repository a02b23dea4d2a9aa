import { expect, test } from "vitest";
import { changedDocument, partsThatDiffer } from "./documents";

test("a difference names fields and members, without what follows from them", () => {
  const before = { id: 7, rev: 1, url: "a", fields: { "System.Title": "old", "System.Rev": 1 }, relations: [{ rel: "Hyperlink", url: "x" }] };
  const after = { id: 7, rev: 2, url: "b", fields: { "System.Title": "new", "System.Rev": 2 }, relations: [] };
  expect(changedDocument(before, after)).toEqual([
    { field: "System.Title", before: "old", after: "new" },
    { field: "relations", before: [{ rel: "Hyperlink", url: "x" }], after: [] },
  ]);
  expect(changedDocument(before, structuredClone(before))).toEqual([]);
});

test("files that came, went or changed are told by name", () => {
  const parts = partsThatDiffer(
    [{ name: "a", size: 1 }, { name: "b", size: 2 }, { name: "c", size: 3 }],
    [{ name: "a", size: 1 }, { name: "c", size: 4 }, { name: "d", size: 5 }],
  );
  expect(parts).toEqual([{ name: "b", change: "removed" }, { name: "c", change: "changed" }, { name: "d", change: "added" }]);
});
