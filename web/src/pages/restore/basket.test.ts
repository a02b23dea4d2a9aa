import { expect, test } from "vitest";
import { type Baskets, countOf, type Entry, entryKey, parseBaskets, pathsOf, selectOf, withEntries, withoutBasket, withoutEntries } from "./basket";

const origin = (id: string) => ({ id, service: "azure-devops", source: "contoso", time: "2026-11-22T12:00:00Z" });
const item = (id: string): Entry => ({ type: "item", kind: "work-item", item: id, name: `Item ${id}`, path: `work-items/0000/${id}` });

test("things lie in the basket of their snapshot, each once", () => {
  let baskets: Baskets = withEntries({}, origin("a"), [item("1"), item("2")]);
  baskets = withEntries(baskets, origin("a"), [item("2"), { type: "kind", kind: "wiki" }]);
  baskets = withEntries(baskets, origin("b"), [item("1")]);
  expect(baskets["a"]?.entries.map(entryKey)).toEqual(["item/work-item/1", "item/work-item/2", "kind/wiki"]);
  expect(countOf(baskets)).toBe(4);
  expect(countOf(withoutBasket(baskets, "a"))).toBe(1);
  expect(withEntries({}, origin("a"), [])).toEqual({});
});

test("an empty basket is none", () => {
  const baskets = withEntries({}, origin("a"), [item("1"), item("2")]);
  expect(countOf(withoutEntries(baskets, "a", new Set(["item/work-item/1"])))).toBe(1);
  expect(withoutEntries(baskets, "a", new Set(["item/work-item/1", "item/work-item/2"]))).toEqual({});
  expect(withoutEntries(baskets, "x", new Set())).toEqual(baskets);
});

test("nothing selected is no selection, never everything", () => {
  expect(selectOf([])).toBeUndefined();
});

test("a selection names what was chosen; everything is everything", () => {
  const entries: Entry[] = [item("1"), { type: "project", project: "p1", name: "Shop" }];
  expect(selectOf(entries)).toEqual({ projects: ["p1"], items: [{ kind: "work-item", item: "1" }] });
  expect(selectOf([{ type: "kind", kind: "team" }])).toEqual({ kinds: ["team"] });
  expect(selectOf([...entries, { type: "everything" }])).toEqual({ everything: true });
});

test("a kind beside a project is added to it, never narrowed by it", () => {
  const project: Entry = { type: "project", project: "p1", name: "Shop" };
  expect(selectOf([project, { type: "kind", kind: "wiki" }])).toEqual({ projects: ["p1"], paths: ["wikis"] });
  expect(selectOf([project, { type: "kind", kind: "team" }])).toBe("mixed");
});

test("only what the target lacks is asked for as such", () => {
  expect(selectOf([item("1")], true)).toEqual({ missing: true, items: [{ kind: "work-item", item: "1" }] });
  expect(selectOf([{ type: "everything" }], true)).toEqual({ missing: true });
  expect(selectOf([], true)).toBeUndefined();
});

test("an archive holds the folders of all entries or is not offered", () => {
  expect(pathsOf([item("1"), { type: "kind", kind: "git-repository" }])).toEqual(["work-items/0000/1", "git"]);
  expect(pathsOf([{ type: "everything" }])).toEqual([""]);
  expect(pathsOf([item("1"), { type: "kind", kind: "team" }])).toBeUndefined();
});

test("no archive is offered of what lies for the most part outside of its folder", () => {
  const named = (kind: string): Entry => ({ type: "item", kind, item: "7", name: "Shop", path: `${kind}s/7` });
  const hollow: Entry[] = [named("wiki"), named("project"), { type: "kind", kind: "wiki" }, { type: "kind", kind: "project" }, { type: "project", project: "p", name: "P" }];
  for (const entry of hollow) expect(pathsOf([item("1"), entry])).toBeUndefined();
});

test("what the browser kept is taken as far as it is understood", () => {
  const baskets = withEntries({}, origin("a"), [item("1")]);
  expect(parseBaskets(JSON.stringify(baskets))).toEqual(baskets);
  for (const bad of [null, "", "no json", "null", "[]", '{"a":1}', '{"a":{"origin":{"id":"a"},"entries":[]}}']) expect(parseBaskets(bad)).toEqual({});
  const mixed = { a: { origin: origin("a"), entries: [item("1"), { type: "everyone" }, { type: "item", kind: "x" }] } };
  expect(parseBaskets(JSON.stringify(mixed))["a"]?.entries).toEqual([item("1")]);
});
