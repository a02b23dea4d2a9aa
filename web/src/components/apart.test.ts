import { expect, test } from "vitest";
import { apart } from "./apart";
import { when } from "./format";

const at = (time: string, id = time) => ({ id, time });

test("what reads differently is told as everywhere", () => {
  const [one, other] = [at("2026-11-23T15:49:10Z"), at("2026-11-23T15:50:10Z")];
  const told = apart([one, other]);
  expect([told(one), told(other)]).toEqual([when(one.time), when(other.time)]);
});

test("two of one minute are told with their seconds, and the rest without", () => {
  const [one, other, rest] = [at("2026-11-23T15:49:10Z"), at("2026-11-23T15:49:52Z"), at("2026-11-23T16:49:10Z")];
  const told = apart([one, other, rest]);
  expect(told(one)).toContain(":10");
  expect(told(other)).toContain(":52");
  expect(told(rest)).toBe(when(rest.time));
});

test("two of one second are told with the beginnings of their ids", () => {
  const [one, other] = [at("2026-11-23T15:49:10.2Z", "0123456789ab"), at("2026-11-23T15:49:10.7Z", "89abcdef0123")];
  const told = apart([one, other]);
  expect(told(one)).toContain("01234567");
  expect(told(one)).not.toContain("012345678");
  expect(told(other)).toContain("89abcdef");
});

test("one that is named twice is no other", () => {
  const one = at("2026-11-23T15:49:10Z");
  expect(apart([one, { ...one }])(one)).toBe(when(one.time));
});

test("the hour that comes twice is told with its zone", () => {
  const twice = [at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")];
  const told = apart(twice, "Europe/Berlin");
  const [first = "", second = ""] = twice.map(told);
  expect(first).toMatch(/GMT\+2|CEST/);
  expect(second).toMatch(/GMT\+1|CET/);
});
