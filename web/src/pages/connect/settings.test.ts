import { expect, test } from "vitest";
import { EMPTY_KEEP, type Policy, ZERO } from "../policies/draft";
import { isComplete, ownKeep, pickOf, USUAL, wishesOf } from "./settings";

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
  expect(isComplete({ ...USUAL, keep: EMPTY_KEEP })).toBe(false);
  expect(isComplete({ ...USUAL, keep: { ...EMPTY_KEEP, within: ZERO } })).toBe(false);
  expect(isComplete({ ...USUAL, keep: { ...EMPTY_KEEP, monthly: 6 } })).toBe(true);
  expect(wishesOf({ ...USUAL, people: ["bob"], keep: { ...EMPTY_KEEP, daily: 7 } })).toEqual({
    people: ["bob"],
    retention: { ...EMPTY_KEEP, daily: 7, within: ZERO },
  });
  expect(wishesOf(USUAL)).toEqual({});
});

test("a retention of its own begins with all that the policy keeps", () => {
  const week = { ...ZERO, days: 7 };
  const standard = { name: "default", retention: { daily: 30, weekly: 12, monthly: 12, within: week } } as Policy;
  const own = ownKeep(standard);
  expect(own).toEqual({ ...EMPTY_KEEP, daily: 30, weekly: 12, monthly: 12, within: week });
  expect(wishesOf({ ...USUAL, keep: own }).retention?.within).toEqual(week);
  expect(ownKeep({ name: "everything" }).within).toEqual(week);
  const hourly = { name: "hourly", retention: { last: 3, within_hourly: week, tags: [["audit"]] } } as Policy;
  expect(ownKeep(hourly)).toMatchObject({ last: 3, daily: 0, within_hourly: week, tags: [["audit"]] });
});
