import { expect, test } from "vitest";
import { asReach, asRole, list, read as readAs, write } from "./groups";

const read = (text: string) => readAs(text, asRole);

test("groups come back as they were written", () => {
  const roles = { "11111111-2222": ["admin"], "CN=Backup, OU=IT": ["operator", "restorer"] };
  expect(read(write(roles))).toEqual({ groups: roles });
});

test("blanks, empty lines and capitals do not matter", () => {
  expect(read("\n  Ops =  Viewer ,operator,\n\n")).toEqual({ groups: { Ops: ["viewer", "operator"] } });
  expect(read("")).toEqual({ groups: {} });
});

test("a line that gives nobody a role is named, and so is a group that comes twice", () => {
  expect(read("ops = viewer\nOps")).toEqual({ line: 2 });
  expect(read("= admin")).toEqual({ line: 1 });
  expect(read("ops =")).toEqual({ line: 1 });
  expect(read("ops = owner")).toEqual({ line: 1 });
  expect(read("a = viewer\n\na = admin")).toEqual({ line: 3 });
});

test("a group reaches connectors by their names, or all of them", () => {
  expect(readAs("ops = contoso, Fabrikam-2\nboss = *", asReach)).toEqual({ groups: { ops: ["contoso", "Fabrikam-2"], boss: ["*"] } });
  expect(readAs("ops = no such name", asReach)).toEqual({ line: 1 });
  expect(readAs("ops =", asReach)).toEqual({ line: 1 });
});

test("a group may be called as objects call their own members", () => {
  expect(read("__proto__ = admin")).toEqual({ groups: Object.fromEntries([["__proto__", ["admin"]]]) });
});

test("lists are separated by whatever people type", () => {
  expect(list(" a.example, b.example\nb.example ")).toEqual(["a.example", "b.example"]);
  expect(list("  ")).toEqual([]);
});
