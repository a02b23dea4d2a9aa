import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = readFileSync(join(import.meta.dirname, "routes.tsx"), "utf8");
const PATHS = [...SOURCE.matchAll(/\bpage\("([^"]+)"/g)].map(([, path = ""]) => path.split("/").slice(1));

/** What people call things themselves; ids are the server's, which makes no words. */
const isName = (segment: string) => segment.startsWith("$") && segment !== "$id";

/** Whether an address of the first page is also one of the second, for something of an unlucky name. */
function hides(page: string[], named: string[]): boolean {
  const fits = (segment: string, at: number) => segment === named[at] || (named[at]?.startsWith("$") ?? false);
  return page.length === named.length && page.every(fits) && page.some((segment, at) => !segment.startsWith("$") && isName(named[at] ?? ""));
}

test("whatever people call something, its page is its own", () => {
  expect(PATHS.length).toBeGreaterThan(40);
  const hidden = PATHS.flatMap((page) => PATHS.filter((named) => hides(page, named)).map((named) => `/${page.join("/")} hides /${named.join("/")}`));
  expect(hidden).toEqual([]);
});

test("a page of its own under the address of names is found out", () => {
  expect(hides(["policies", "new"], ["policies", "$name"])).toBe(true);
  expect(hides(["snapshots", "compare"], ["snapshots", "$id"])).toBe(false);
});
