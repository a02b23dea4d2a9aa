import { expect, test } from "vitest";
import { isComplete, pickOf, USUAL, wishesOf } from "./settings";

test("only what was chosen is sent", () => {
  expect(pickOf("contoso", "", USUAL)).toEqual({
    organization: "contoso",
    sync: { add_new: true, hours: [2], time_zone: "UTC" },
  });
  expect(pickOf("contoso", "ado", { ...USUAL, worker: "w", restore: "writer" })).toMatchObject({
    name: "ado",
    worker: "w",
    restore_credential: "writer",
  });
});

test("K-10 a retention of its own keeps something, and people are named", () => {
  const none = { daily: 0, weekly: 0, monthly: 0, yearly: 0 };
  expect(isComplete({ ...USUAL, keep: none })).toBe(false);
  expect(isComplete({ ...USUAL, keep: { ...none, monthly: 6 } })).toBe(true);
  expect(wishesOf({ ...USUAL, people: ["bob"], keep: { ...none, daily: 7 } })).toEqual({
    people: ["bob"],
    retention: { ...none, daily: 7 },
  });
  expect(wishesOf(USUAL)).toEqual({});
});
