import { expect, test } from "vitest";
import { covered, matches } from "./covers";

test("patterns fit whole names without regard to case, and nothing in them is an expression", () => {
  const cases: [string, string, boolean][] = [
    ["Payments", "payments", true],
    ["pay*", "Payments", true],
    ["pay*", "Repay", false],
    ["*-prod", "web-prod", true],
    ["w?b", "web", true],
    ["w?b", "weeb", false],
    ["a.b", "axb", false],
    ...["(x", "my-org", "a/b", "[x]", "a+b", "x{1}", "\\", "a|b", "^$"].map((text): [string, string, boolean] => [text, text, true]),
    ["**", "", true],
    ["", "web", false],
  ];
  for (const [pattern, name, expected] of cases) expect([pattern, name, matches(pattern, name)]).toEqual([pattern, name, expected]);
});

test("a pattern of any length is only a pattern", () => {
  expect(matches("c".repeat(100_000), "contoso")).toBe(false);
  expect(matches(`${"*".repeat(100_000)}so`, "contoso")).toBe(true);
  expect(matches(`${"*a".repeat(50_000)}`, "a".repeat(200))).toBe(false);
});

test("a policy that names a connector takes it from those that name none, unless it is off", () => {
  const all = [
    { name: "default" },
    { name: "pay", connectors: ["pay*"] },
    { name: "off", connectors: ["web"], enabled: false },
  ];
  const of = (number: number) => covered(all[number] ?? { name: "" }, all, ["Payments", "web", "other"]);
  expect([of(0), of(1), of(2)]).toEqual([["web", "other"], ["Payments"], ["web"]]);
});
