import { expect, test } from "vitest";
import { ofKinds, ofProjects } from "./counts";

const COUNTS = [
  { kind: "project", project: "p1", name: "Shop", items: 1 },
  { kind: "work-item", project: "p1", name: "Shop", items: 7 },
  { kind: "work-item", project: "p2", name: "App 10", items: 3 },
  { kind: "work-item", project: "p3", name: "App 2", items: 1 },
  { kind: "work-item", project: "", items: 2 },
  { kind: "team", project: "gone", items: 4 },
];

test("kinds are counted in all, or in a project", () => {
  expect(ofKinds(COUNTS, undefined).get("work-item")).toBe(13);
  expect(Object.fromEntries(ofKinds(COUNTS, "p1"))).toEqual({ project: 1, "work-item": 7 });
});

test("projects are told by name with what they have of a kind", () => {
  expect(ofProjects(COUNTS, "work-item").map(({ name, items }) => [name, items])).toEqual([["App 2", 1], ["App 10", 3], ["gone", 0], ["Shop", 7]]);
});
