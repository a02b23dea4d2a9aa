import { expect, test } from "vitest";
import { expiryOf } from "./expiry";

const now = Date.parse("2026-11-22T12:00:00Z");
const of = (expires: string | null | undefined) => {
  const { key, count, tone } = expiryOf(expires, now);
  return [key, count, tone];
};

test("what has ended is told from what ends soon, to the day", () => {
  expect(of("2026-11-22T12:00:00Z")).toEqual(["expired", 0, "bad"]);
  expect(of("2026-11-19T00:00:00Z")).toEqual(["expired", 3, "bad"]);
  expect(of("2026-11-23T11:00:00Z")).toEqual(["today", 0, "bad"]);
  expect(of("2026-11-23T12:00:00Z")).toEqual(["soon", 1, "warning"]);
  expect(of("2026-12-22T11:59:59Z")).toEqual(["soon", 29, "warning"]);
  expect(of("2026-12-22T12:00:00Z")).toEqual(["later", 30, "good"]);
});

test("an end that nobody named is not one that never comes", () => {
  for (const expires of [undefined, null, "", "tomorrow"]) expect(of(expires)[0]).toBe("unknown");
});
