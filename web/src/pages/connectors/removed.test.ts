import { expect, test } from "vitest";
import { isGone } from "./removed";

const problem = (code: string) => ({ type: "", title: "", status: 0, code, detail: "" });

test("a connector that somebody else removed meanwhile did not stay", () => {
  expect(isGone({ name: "contoso", removed: true })).toBe(true);
  expect(isGone({ name: "contoso", removed: false, problem: problem("connector-unknown") })).toBe(true);
  expect(isGone({ name: "contoso", removed: false, problem: problem("catalog-failed") })).toBe(false);
});
