import { expect, test } from "vitest";
import { moment, searchCli, searchQuery } from "./hits";

test("a day is from its beginning to its end, where the person is", () => {
  const [since, until] = [moment("2026-11-22", false), moment("2026-11-22", true)];
  expect(Date.parse(until ?? "") - Date.parse(since ?? "")).toBe(86_400_000 - 1);
  expect(new Date(since ?? "").getHours()).toBe(0);
  expect([moment("2026-13-45", false), moment("yesterday", true), moment(undefined, true)]).toEqual([undefined, undefined, undefined]);
});

test("only what is looked for is asked", () => {
  expect(searchQuery({ q: "login", kind: "", since: "x", project: "Shop", tab: "1" })).toEqual({ q: "login", project: "Shop" });
});

test("the command looks for the same, with all that narrows it", () => {
  const since = moment("2026-11-22", false);
  expect(searchCli({ q: "login -page", kind: "work-item", since: "2026-11-22" }, undefined)).toEqual([
    ...["snapshot", "search", "--kind", "work-item", "--since", since, "login -page"],
  ]);
  expect(searchCli({ q: "login", connector: "main" }, "contoso")).toEqual(["snapshot", "search", "--source", "contoso", "login"]);
  expect(searchCli({ q: "login", connector: "main" }, undefined)).toBeUndefined();
  expect(searchCli({ q: "-page" }, undefined)).toEqual(["snapshot", "search", "--", "-page"]);
});
