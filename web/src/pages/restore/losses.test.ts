import { expect, test } from "vitest";
import { foundLosses, ownLosses } from "./losses";

const told = [{ kind: "area", text: "An area gets another id.", items: 10 }];

test("what is lost of all items of a kind is told once, not with each of them", () => {
  expect(ownLosses({ kind: "area", losses: ["An area gets another id."] }, told)).toEqual([]);
});

test("what is lost of one item alone stands with it, and only once", () => {
  expect(ownLosses({ kind: "area", losses: ["An area gets another id.", "no field A", "no field A"] }, told)).toEqual(["no field A"]);
  expect(ownLosses({ kind: "team", losses: ["An area gets another id."] }, told)).toEqual(["An area gets another id."]);
});

test("what applying found is one line with a count where several items have it", () => {
  const step = (kind: string, losses: string[], action = "create") => ({ kind, action, losses });
  const steps = [
    step("team", ["the name is taken"]),
    step("team", ["the name is taken", "no such user"]),
    step("team", ["the name is taken"], "skip"),
    step("area", ["the name is taken", "An area gets another id."]),
    step("area", ["An area gets another id."]),
  ];
  expect(foundLosses(steps, told)).toEqual([{ kind: "team", text: "the name is taken", items: 2 }]);
});
