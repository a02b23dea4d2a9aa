import { expect, test } from "vitest";
import { NAVIGATION } from "../shell/entries";
import { pageOf } from "./commands";

test("a command of a hint leads to the page that does the same", () => {
  expect(pageOf("keepward run list")).toBe("runs");
  expect(pageOf("keepward repository check --read-data")).toBe("repositories");
  for (const other of ["keepward serve", "--confirm NAME", "keepwardrun list", "keepward constructor", ""]) {
    expect(pageOf(other), other).toBeUndefined();
  }
});

test("every page that a command leads to is in the navigation", () => {
  const pages = new Set(NAVIGATION.flatMap(({ entries }) => entries.map(({ key }) => key)));
  const nouns = "alarm app-profile audit backup connector credential export identity-provider notification policy proposal repository restore run session snapshot token user verify worker";
  for (const noun of nouns.split(" ")) expect(pages).toContain(pageOf(`keepward ${noun} list`));
});
