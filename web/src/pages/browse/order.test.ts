import { expect, test } from "vitest";
import { inOrder } from "./order";

const items = (kind: string, ...all: [id: string, name: string][]) => all.map(([id, name]) => ({ kind, id, name }));
const ids = (of: { id: string }[]) => of.map(({ id }) => id);

test("work items stand in the order of their numbers", () => {
  expect(ids(inOrder(items("work-item", ["1", "z"], ["10", "a"], ["100", "b"], ["2", "c"], ["9", "d"])))).toEqual(["1", "2", "9", "10", "100"]);
});

test("everything else stands in the order of its names, with numbers in them as numbers", () => {
  const areas = items("area", ["7", "Sprint 10"], ["12", "sprint 9"], ["3", ""], ["5", "Älter"], ["4", "Area"]);
  expect(ids(inOrder(areas))).toEqual(["3", "5", "4", "12", "7"]);
});
