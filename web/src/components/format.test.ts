import { expect, test } from "vitest";
import { ago, bytes, duration, localeOf, span, weekday, when } from "./format";

test("sizes are rounded to what a person reads", () => {
  expect([0, 999, 1000, 1549, 123_456, 1_000_000_000].map(bytes)).toEqual(["0 B", "999 B", "1 KB", "1.5 KB", "123 KB", "1 GB"]);
});

test("times say how far away they are, in the largest unit that fits", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(ago("2026-11-22T11:59:01Z", now)).toBe("59 seconds ago");
  expect(ago("2026-11-21T11:00:00Z", now)).toBe("yesterday");
  expect(ago("2026-11-22T15:00:00Z", now)).toBe("in 3 hours");
});

test("a moment is told with its year and its minute", () => {
  const told = when(new Date(2026, 10, 22, 14, 3).toISOString());
  for (const part of ["22", "Nov", "2026", "03"]) expect(told).toContain(part);
});

test("durations name two units at most", () => {
  expect([7, 75, 3_840].map(duration)).toEqual(["7 s", "1 min 15 s", "1 h 04 min"]);
  expect(duration(-5)).toBe("0 s");
});

test("minutes are told in the largest unit that fits whole", () => {
  expect([1, 45, 60, 90, 240, 1440, 2880, 1500].map(span)).toEqual([
    ...["1 minute", "45 minutes", "1 hour", "90 minutes", "4 hours", "1 day", "2 days", "25 hours"],
  ]);
});

test("the region is the browser's, the language that of the texts", () => {
  expect(localeOf(["de-DE", "en-GB", "en-US"])).toBe("en-GB");
  expect(localeOf(["de-DE"])).toBe("en");
  expect(localeOf(["enm", "EN-au"])).toBe("EN-au");
});

test("weeks begin on Monday", () => {
  expect([weekday(0), weekday(6)]).toEqual(["Monday", "Sunday"]);
});
