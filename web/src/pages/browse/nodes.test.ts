import { expect, test } from "vitest";
import { stepsOf, treeOf } from "./nodes";

const node = (id: string, path: string, attributes = {}) => ({ id, document: { name: path.split("\\").at(-1), path, attributes } });

test("a path is told without the name of its tree", () => {
  expect(stepsOf("\\Shop\\Area\\Web\\Cart")).toEqual(["Shop", "Web", "Cart"]);
  expect(stepsOf("\\Shop\\Area")).toEqual(["Shop"]);
  expect(stepsOf("")).toEqual([]);
});

test("areas are a tree by name, numbers by value", () => {
  const tree = treeOf([node("4", "\\Shop\\Area\\Team 10"), node("2", "\\Shop\\Area"), node("5", "\\Shop\\Area\\Team 2"), node("6", "\\Shop\\Area\\Team 2\\Cart")]);
  expect(tree).toEqual([{ id: "2", name: "Area", children: [
    { id: "5", name: "Team 2", children: [{ id: "6", name: "Cart", children: [] }] },
    { id: "4", name: "Team 10", children: [] },
  ] }]);
});

test("iterations stand in the order of time", () => {
  const [root] = treeOf([node("1", "\\S\\Iteration"), node("2", "\\S\\Iteration\\B", { startDate: "2026-01-01", finishDate: "2026-01-14" }), node("3", "\\S\\Iteration\\A", { startDate: "2026-02-01" })]);
  expect(root?.children.map(({ name, finish }) => [name, finish])).toEqual([["B", "2026-01-14"], ["A", undefined]]);
});

test("a node without its parent is not lost", () => {
  expect(treeOf([node("9", "\\Shop\\Area\\Gone\\Cart"), node("8", "")]).map(({ id }) => id).toSorted()).toEqual(["8", "9"]);
});
