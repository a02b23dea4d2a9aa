import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { announced, canApply, type Identity, knownAs, mapping, STATES, totals, unknownAccounts, writes } from "./plan";

type Counts = Schemas["RestorePlanCounts"];

const counts = (kind: string, some: Partial<Counts>): Counts => ({ kind, create: 0, undelete: 0, replace: 0, merge: 0, remove: 0, skip: 0, export: 0, ...some });

test("what a plan does is summed over its kinds; what is skipped or exported writes nothing", () => {
  const all = [counts("team", { create: 2, skip: 5 }), counts("area", { create: 1, export: 3, remove: 1 })];
  expect(totals(all)).toMatchObject({ create: 3, skip: 5, export: 3, remove: 1 });
  expect(writes(all)).toBe(4);
  expect(writes([])).toBe(0);
});

test("only a whole plan that nobody is at and that writes something can be applied", () => {
  const plan = (state: string, planned: string | null | undefined = "t", some = [counts("team", { create: 1 })]) =>
    canApply({ state, planned_at: planned, counts: some });
  expect(STATES.filter((state) => plan(state))).toEqual(["ready", "applied_with_issues", "failed", "canceled"]);
  expect(plan("failed", null)).toBe(false);
  expect(canApply({ state: "ready", counts: [counts("team", { create: 1 })] })).toBe(false);
  expect(plan("ready", "t", [counts("team", { skip: 4 })])).toBe(false);
});

test("only changed people are sent; an empty name leaves the person as stored", () => {
  const person = (name: string, to: string | null): Identity => ({ from: { name, unique_name: `${name}@old` }, to: to === null ? null : { unique_name: to, checked: true }, found: to !== null, items: 1 });
  const people = [person("a", "a@old"), person("b", null), person("c", "c@old"), person("d", null)];
  expect(mapping(people, { "a@old": "a@old", "b@old": " b@new ", "c@old": " " })).toEqual({
    items: [
      { from: { unique_name: "b@old" }, to: { unique_name: "b@new" } },
      { from: { unique_name: "c@old" }, to: null },
    ],
  });
});

test("what an undo plan removes is not told as written, and what nobody can take back is not promised", () => {
  const all = [counts("team", { create: 2, replace: 1, skip: 5 })];
  expect(announced({ counts: all })).toEqual([
    ["detail.applyText", 3],
    ["detail.applyReplaces", 1],
  ]);
  const removals = [counts("team", { remove: 2, skip: 1 })];
  expect(announced({ counts: removals, undoes: "p" })).toEqual([["detail.applyRemoves", 2]]);
  const both = [counts("team", { remove: 2 }), counts("area", { replace: 1 })];
  expect(announced({ counts: both, undoes: "p" })).toEqual([
    ["detail.applyRemoves", 2],
    ["detail.applyPutsBack", 1],
  ]);
});

test("a person stands at the target as the account does that is written", () => {
  const to = (checked: boolean) => ({ unique_name: "b@new", checked });
  expect(knownAs({ found: true })).toBe("found");
  expect(knownAs({ found: false, to: null })).toBe("notFound");
  expect(knownAs({ found: false, to: to(true) })).toBe("found");
  expect(knownAs({ found: true, to: to(false) })).toBe("unchecked");
});

test("an account that the target does not know is marked at the person whose place it was to take", () => {
  const map = (from: string, to: string | null) => ({ from: { unique_name: from }, to: to === null ? null : { unique_name: to } });
  const body = { items: [map("a@old", null), map("b@old", "typo@new"), map("c@old", "c@new")] };
  const error = new Problem({
    type: "urn:keepward:request-refused",
    title: "",
    status: 422,
    code: "request-refused",
    detail: "",
    errors: [{ pointer: "/items/1/to/unique_name", detail: "nobody" }],
  });
  expect(unknownAccounts(error, body)).toEqual({ "b@old": "typo@new" });
  expect(unknownAccounts(undefined, body)).toEqual({});
});
