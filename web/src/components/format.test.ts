import { expect, test } from "vitest";
import { ago, bytes, duration } from "./format";

test("sizes are rounded to what a person reads", () => {
  expect([0, 999, 1000, 1549, 123_456, 1_000_000_000].map(bytes)).toEqual(["0 B", "999 B", "1 KB", "1.5 KB", "123 KB", "1 GB"]);
});

test("times say how far away they are, in the largest unit that fits", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(ago("2026-11-22T11:59:01Z", now)).toBe("59 seconds ago");
  expect(ago("2026-11-21T11:00:00Z", now)).toBe("yesterday");
  expect(ago("2026-11-22T15:00:00Z", now)).toBe("in 3 hours");
});

test("durations name two units at most", () => {
  expect([7, 75, 3_840].map(duration)).toEqual(["7 s", "1 min 15 s", "1 h 04 min"]);
});
