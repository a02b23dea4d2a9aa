import { expect, test } from "vitest";
import { bodyOfSync, hoursOf, minutesOf, syncOf, USUAL_SYNC } from "./sync";

test("XA-11 hours are full ones of a day, each once and in order", () => {
  expect(hoursOf("14, 2")).toEqual([2, 14]);
  expect(hoursOf("2 2;3")).toEqual([2, 3]);
  for (const text of ["", "24", "-1", "2.5", "noon", "2,,x"]) expect(hoursOf(text), text).toBeUndefined();
});

test("XA-11 an interval is from five minutes to a month", () => {
  expect([minutesOf("5"), minutesOf(" 60 "), minutesOf("44640")]).toEqual([5, 60, 44_640]);
  for (const text of ["4", "44641", "", "1e3", "ten"]) expect(minutesOf(text), text).toBeUndefined();
});

test("what was saved comes back as it was", () => {
  for (const body of [
    { add_new: true, hours: [2, 14], time_zone: "Europe/Berlin" },
    { add_new: false, interval_minutes: 30 },
  ]) {
    expect(bodyOfSync(syncOf(body))).toEqual(body);
  }
  expect(bodyOfSync({ ...USUAL_SYNC, hours: "soon" })).toBeUndefined();
});
