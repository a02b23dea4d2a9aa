import { expect, test } from "vitest";
import { filtered, grouped, key, type Row, withHistory } from "./group";

const row = (more: Partial<Row> = {}): Row => ({
  connector: "contoso",
  code: "permission-missing",
  kind: "wiki",
  scope: "Payments",
  message: "no",
  ...more,
});
const acknowledged = { by: "ada", at: "2026-11-20T00:00:00Z" };

test("what nobody acknowledged comes first, however small", () => {
  const rows = [
    ...["1", "2", "3"].map((item) => row({ code: "known", item, acknowledged })),
    row({ code: "new", item: "1", hint: "sign in", title: "Nobody is signed in" }),
  ];
  expect(grouped(rows).map(({ code, title, open, hint, rows: all }) => [code, title, open, hint, all.length])).toEqual([
    ["new", "Nobody is signed in", 1, "sign in", 1],
    ["known", "known", 0, null, 3],
  ]);
});

test("names that contain each other's separators are different issues", () => {
  expect(key(row({ scope: "a", item: "b/c" }))).not.toBe(key(row({ scope: "a/b", item: "c" })));
  expect(key(row({ connector: "Contoso" }))).toBe(key(row()));
  expect(key(row({ item: null }))).toBe(key(row({})));
});

test("an issue of a run knows its history, and one met twice is one", () => {
  const issue = { code: "c", class: "permission", kind: "wiki", scope: "P", message: "now" };
  const known = { ...issue, connector: "Contoso", message: "before", runs: 7, first: "a", last: "b", acknowledged };
  const rows = withHistory({ connector: "contoso", repository: "main" }, [issue, issue, { ...issue, scope: "Q" }], [known]);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({ message: "now", runs: 7, acknowledged });
  expect(rows[1]?.runs).toBeUndefined();
});

test("while the history of an issue is not known, it is not told as one that nobody acknowledged", () => {
  const issue = { code: "c", class: "permission", kind: "wiki", scope: "P", message: "now" };
  const open = (known: [] | undefined) => grouped(withHistory({ connector: "contoso", repository: "main" }, [issue], known))[0]?.open;
  expect(open(undefined)).toBe(0);
  expect(open([])).toBe(1);
});

test("an issue of a check is one of its repository", () => {
  const issue = { code: "repository-damaged", class: "storage", kind: "", scope: "", message: "now" };
  const known = { ...issue, connector: "", repository: "main", runs: 2, first: "a", last: "b", acknowledged };
  const rows = (repository: string) => withHistory({ connector: "", repository }, [issue], [known]);
  expect(rows("main")[0]).toMatchObject({ repository: "main", runs: 2 });
  expect(rows("copy")[0]?.runs).toBeUndefined();
});

test("the filter tells open from acknowledged ones", () => {
  const rows = [row({ item: "1" }), row({ item: "2", acknowledged }), row({ item: "3", kind: "project" })];
  const items = (...filter: [Parameters<typeof filtered>[1], string?, string?]) => filtered(rows, ...filter).map(({ item }) => item);
  expect(items("open")).toEqual(["1", "3"]);
  expect(items("acknowledged")).toEqual(["2"]);
  expect(items("all", "wiki")).toEqual(["1", "2"]);
  expect(items("all", undefined, "other")).toEqual([]);
});
