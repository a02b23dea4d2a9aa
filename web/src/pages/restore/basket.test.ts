import { expect, test } from "vitest";
import { archiveOf, type Baskets, countOf, type Entry, entryKey, parseBaskets, selectOf, withEntries, withoutBasket, withoutEntries } from "./basket";

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

test("an archive holds what the entries stand for", () => {
  expect(archiveOf([item("1"), { type: "kind", kind: "git-repository" }])).toEqual({ path: ["work-items/0000/1"], kind: ["git-repository"] });
  expect(archiveOf([item("1"), { type: "everything" }])).toEqual({ path: [""] });
  expect(archiveOf([{ type: "project", project: "p", name: "P" }])).toEqual({ project: ["p"] });
});

test("a wiki is downloaded with what holds its pages", () => {
  const wiki: Entry = { type: "item", kind: "wiki", item: "7", name: "Shop", path: "wikis/7" };
  expect(archiveOf([wiki])).toEqual({ path: ["wikis/7"], whole: true });
  expect(archiveOf([item("1")])).toEqual({ path: ["work-items/0000/1"] });
});

test("what the browser kept is taken as far as it is understood", () => {
  const baskets = withEntries({}, origin("a"), [item("1")]);
  expect(parseBaskets(JSON.stringify(baskets))).toEqual(baskets);
  for (const bad of [null, "", "no json", "null", "[]", '{"a":1}', '{"a":{"origin":{"id":"a"},"entries":[]}}']) expect(parseBaskets(bad)).toEqual({});
  const mixed = { a: { origin: origin("a"), entries: [item("1"), { type: "everyone" }, { type: "item", kind: "x" }] } };
  expect(parseBaskets(JSON.stringify(mixed))["a"]?.entries).toEqual([item("1")]);
});
