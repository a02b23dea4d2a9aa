import { expect, test } from "vitest";
import { diffLines, linesOf, stretches } from "./lines";

const told = (before: string, after: string) =>
  diffLines(before, after).map(({ op, text }) => ({ same: " ", removed: "-", added: "+" })[op] + text);

test("a changed line is told as removed and added, what is around it as the same", () => {
  expect(told("a\nb\nc", "a\nB\nc")).toEqual([" a", "-b", "+B", " c"]);
});

test("the longest common part stays", () => {
  expect(told("a\nb\nc\nd", "b\nx\nd\na")).toEqual(["-a", " b", "-c", "+x", " d", "+a"]);
});

test("nothing, everything and line endings", () => {
  expect(told("", "")).toEqual([]);
  expect(told("", "a\nb")).toEqual(["+a", "+b"]);
  expect(told("a\r\nb\r\n", "a\nb")).toEqual([" a", " b"]);
  expect(linesOf("a\n\n")).toEqual(["a", ""]);
});

test("both sides can be put together again from the comparison, whatever they are", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let round = 0; round < 200; round += 1) {
    const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)] ?? "").join("\n");
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const side = (without: string) => lines.filter(({ op }) => op !== without).map((line) => line.text);
    expect(side("added")).toEqual(linesOf(before));
    expect(side("removed")).toEqual(linesOf(after));
  }
});

test("texts that are too large to compare line by line are told as replaced", () => {
  const many = (word: string) => Array.from({ length: 3_000 }, (_, at) => `${word} ${at}`).join("\n");
  const lines = diffLines(many("a"), many("b"));
  expect(lines).toHaveLength(6_000);
  expect(lines[0]?.op).toBe("removed");
});

test("long equal stretches are left out", () => {
  const text = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  const changed = text.with(10, "other");
  const seen = stretches(diffLines(text.join("\n"), changed.join("\n")), 1);
  expect(seen.map((stretch) => ("left" in stretch ? stretch.left : stretch.lines.length))).toEqual([9, 4, 8]);
});
