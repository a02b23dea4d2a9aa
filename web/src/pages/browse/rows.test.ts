import { expect, test } from "vitest";
import { rowsOf } from "./rows";

const told = (document: Record<string, unknown>) => rowsOf(document).map(({ name, value }) => `${name} = ${value}`);

test("members are told by name, those of members with where they are", () => {
  expect(told({ id: "1", defaultBranch: "refs/heads/main", project: { name: "Shop", capabilities: { git: { enabled: true } } } })).toEqual([
    "Id = 1",
    "Default branch = refs/heads/main",
    "Project: name = Shop",
    "Git: enabled = true",
  ]);
});

test("the service's own plumbing and what is empty are left out", () => {
  expect(told({ _links: { self: {} }, url: "x", "@odata.type": "y", description: "", tags: [], mail: null, size: 0 })).toEqual(["Size = 0"]);
});

test("a person is one value, and what is too deep is told as it is", () => {
  expect(told({ owner: { displayName: "Ada", mail: "ada@contoso.com" }, a: { b: { c: { d: { e: 1 } } } } })).toEqual(["Owner = Ada <ada@contoso.com>", 'C: d = {"e":1}']);
});
