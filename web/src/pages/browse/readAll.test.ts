import { expect, test } from "vitest";
import { readAll } from "./readAll";

test("all are read, a few at a time, and stand in their order", async () => {
  let [open, most] = [0, 0];
  const told: number[] = [];
  const all = Array.from({ length: 40 }, (_, number) => number);
  const read = async (number: number) => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((done) => setTimeout(done, (40 - number) % 3));
    open -= 1;
    return number * 2;
  };
  expect(await readAll(all, read, (done) => told.push(done))).toEqual(all.map((number) => number * 2));
  expect(most).toBe(6);
  expect(told).toEqual(all.map((number) => number + 1));
});

test("one that cannot be read fails all of them", async () => {
  const read = async (number: number) => {
    if (number === 3) throw new Error("away");
    return number;
  };
  await expect(readAll([1, 2, 3, 4], read, () => {})).rejects.toThrow("away");
});
