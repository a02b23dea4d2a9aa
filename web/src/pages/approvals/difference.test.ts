import { expect, test } from "vitest";
import { differences } from "./difference";

test("an approver sees each member that would change, and nothing else", () => {
  const before = { name: "night", retention: { daily: 30, weekly: 8 }, schedule: { time_zone: "UTC" } };
  const after = { name: "night", retention: { daily: 7, weekly: 8, last: 1 }, schedule: { time_zone: "UTC" } };
  expect(differences(before, after)).toEqual([
    { path: "retention.daily", before: 30, after: 7 },
    { path: "retention.last", after: 1 },
  ]);
});

test("what goes away and what is null are the same, a list in another order is not", () => {
  expect(differences({ a: 1, b: null }, {})).toEqual([{ path: "a", before: 1 }]);
  expect(differences({ tags: ["x", "y"] }, { tags: ["y", "x"] })).toEqual([
    { path: "tags", before: ["x", "y"], after: ["y", "x"] },
  ]);
});

test("an empty list is nothing, and one name is not two", () => {
  expect(differences({ kinds: [] }, { kinds: [], names: ["a, b"] })).toEqual([{ path: "names", after: ["a, b"] }]);
  expect(differences({ names: ["a, b"] }, { names: ["a", "b"] })).toHaveLength(1);
});

test("a policy that is added or removed differs in all of its members", () => {
  expect(differences(null, { retention: { daily: 1 } })).toEqual([{ path: "retention.daily", after: 1 }]);
  expect(differences({ name: "night" }, null)).toEqual([{ path: "name", before: "night" }]);
  expect(differences(undefined, undefined)).toEqual([]);
});
