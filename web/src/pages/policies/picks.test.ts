import { expect, test } from "vitest";
import { picksOf } from "./picks";

test("of two repositories of one name the one that is picked is meant, and no other", () => {
  const items = [{ id: "1", name: "web" }, { id: "2", name: "cart" }, { id: "3", name: "Web" }];
  expect(picksOf(items)).toEqual([
    { pick: "1", label: "web · 1" },
    { pick: "cart", label: "cart" },
    { pick: "3", label: "Web · 3" },
  ]);
});
