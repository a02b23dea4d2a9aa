import { expect, test } from "vitest";
import { othersOf } from "./users";

test("the other connectors that sign in with a credential are named, and nothing else that uses it", () => {
  const users = ["connector contoso", "connector works", "connector the other", "repository main", "app profile own"];
  expect(othersOf(users, "Contoso")).toEqual(["works", "the other"]);
  expect(othersOf(undefined, "contoso")).toEqual([]);
});
