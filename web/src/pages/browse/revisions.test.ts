import { expect, test } from "vitest";
import { at, inWords, readRecords } from "./records";
import { changedFields, fieldName, historyOf, isSame } from "./revisions";

const ada = { displayName: "Ada", uniqueName: "ada@contoso.com", imageUrl: "https://a/1" };
const revision = (rev: number, fields: object) => ({ id: 7, rev, fields: { "System.Rev": rev, "System.ChangedDate": `2026-01-0${rev}T00:00:00Z`, "System.ChangedBy": ada, ...fields } });

test("each revision tells who changed which field, when and to what, the newest first", () => {
  const history = historyOf([
    revision(2, { "System.Title": "New", "System.State": "Active" }),
    revision(1, { "System.Title": "Old", "System.Watermark": 5 }),
    revision(3, { "System.Title": "New", "System.History": "looked at" }),
  ]);
  expect(history.map((change) => change.revision)).toEqual([3, 2, 1]);
  expect(history[0]).toEqual({ revision: 3, at: "2026-01-03T00:00:00Z", by: "Ada <ada@contoso.com>", comment: "looked at", fields: [{ field: "System.State", before: "Active", after: undefined }] });
  expect(history[1]?.fields).toEqual([
    { field: "System.State", before: undefined, after: "Active" },
    { field: "System.Title", before: "Old", after: "New" },
  ]);
  expect(history[2]?.fields).toEqual([{ field: "System.Title", before: undefined, after: "Old" }]);
});

test("a revision without fields is one without changes", () => {
  expect(historyOf([{ rev: 1 }, { rev: 2, fields: null }]).map((change) => change.fields)).toEqual([[], []]);
});

test("a person with another picture is the same person, with another name not", () => {
  expect(isSame(ada, { ...ada, imageUrl: "https://a/2" })).toBe(true);
  expect(isSame(ada, { ...ada, displayName: "Ada L" })).toBe(false);
});

test("documents are equal whatever the order of their members", () => {
  expect(isSame({ a: [1, { b: 2 }], c: null }, { c: null, a: [1, { b: 2 }] })).toBe(true);
  expect(isSame({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(isSame([1, 2], [2, 1])).toBe(false);
});

test("what follows from other fields is no change of its own", () => {
  expect(changedFields({ "System.AreaId": 1, "System.Rev": 1 }, { "System.AreaId": 2, "System.Rev": 2 })).toEqual([]);
});

test("fields are named as in the service's form", () => {
  expect(["System.AssignedTo", "Microsoft.VSTS.Common.AcceptanceCriteria", "Custom.Risk_Level", "Microsoft.VSTS.TCM.SystemInfo"].map(fieldName)).toEqual([
    "Assigned to",
    "Acceptance criteria",
    "Risk level",
    "System info",
  ]);
});

test("a damaged line hides no other", () => {
  const { items, damaged } = readRecords('{"a":1}\nnot json\n\n[1]\n{"b":2}\n{"c":');
  expect(items).toEqual([{ a: 1 }, { b: 2 }]);
  expect(damaged).toEqual([2, 4, 6]);
});

test("pointers reach members with slashes and nothing that is inherited", () => {
  expect(at({ "a/b": [{ c: 1 }] }, "/a~1b/0/c")).toBe(1);
  expect(at({}, "/constructor/name")).toBeUndefined();
});

test("values are told in words", () => {
  expect([undefined, 3, true, ada, ["a", "b"], { x: 1 }].map(inWords)).toEqual(["", "3", "true", "Ada <ada@contoso.com>", "a, b", '{"x":1}']);
});
