import { expect, test } from "vitest";
import { inWords } from "./records";

test("people, tags and other named things are told by name, in lists too", () => {
  expect(inWords({ displayName: "Anna", uniqueName: "anna@example.com" })).toBe("Anna <anna@example.com>");
  expect(inWords([{ id: "eb513c97", name: "quick win" }, { id: "0f", name: "security" }])).toBe("quick win, security");
  expect(inWords([1, "two", true])).toBe("1, two, true");
});

test("what has no name stays as it is stored", () => {
  expect(inWords([{ id: 1 }])).toBe('[{"id":1}]');
  expect(inWords({ a: 1 })).toBe('{"a":1}');
});
