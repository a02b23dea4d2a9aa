import { expect, test } from "vitest";
import { standing } from "./standing";

const now = Date.parse("2026-11-22T12:00:00Z");

test("a worker that has not asked for minutes is away; one that never came is told apart", () => {
  expect(standing({ seen: "2026-11-22T11:59:30Z" }, now)).toBe("here");
  expect(standing({ seen: "2026-11-22T11:57:59Z" }, now)).toBe("away");
  expect(standing({ seen: null }, now)).toBe("never");
  expect(standing({}, now)).toBe("never");
});

test("a clock that is behind the server's does not send workers away", () => {
  expect(standing({ seen: "2026-11-22T12:05:00Z" }, now)).toBe("here");
});
