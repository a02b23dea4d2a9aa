import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { options, rhythm, schedule } from "./rhythm";

type Schedule = Schemas["Schedule"];

const before: Schedule = {
  time_zone: "Europe/Berlin",
  jitter_minutes: 7,
  when: { every: "manual" },
  missed: "skip",
  window: null,
};

test("what the form shows is what it sends", () => {
  for (const one of [
    { every: "day", at: "06:00" },
    { every: "week", at: "23:59", day: "sat" },
    { every: "month", at: "00:05", day: "31" },
  ] as const) {
    const sent = schedule(one, before);
    expect(rhythm(sent)).toEqual(one);
    expect(sent).toMatchObject({ time_zone: "Europe/Berlin", jitter_minutes: 7 });
  }
});

test("a monthly time is a cron expression without leading zeros", () => {
  expect(schedule({ every: "month", at: "06:05", day: "1" }, before).when).toEqual({ every: "cron", expression: "5 6 1 * *" });
});

test("a schedule that the form cannot show is left alone", () => {
  for (const when of [
    { every: "cron", expression: "0 6 1 */2 *" },
    { every: "cron", expression: "0 6 * * 1-5" },
    { every: "interval", minutes: 90 },
    { every: "hours", at: ["06:00", "18:00"], days: [] },
    { every: "hours", at: ["06:00"], days: ["mon", "thu"] },
  ] as const) {
    const kept = { ...before, when } as unknown as Schedule;
    const shown = rhythm(kept);
    expect(shown.every).toBe("other");
    expect(schedule(shown, kept)).toBe(kept);
  }
});

test("the command line says the same times", () => {
  const task = (of: Parameters<typeof schedule>[0]) => ({ schedule: schedule(of, before) });
  const tasks = {
    check: { ...task({ every: "week", at: "06:30", day: "sat" }), read_percent: 5 },
    prune: null,
    verify: task({ every: "month", at: "00:05", day: "1" }),
  };
  expect(options(tasks)?.join(" ")).toBe(
    "--check 30 6 * * sat --prune off --verify 5 0 1 * * --read-percent 5 --time-zone Europe/Berlin --jitter 7",
  );
});

test("what one command cannot say is not shown as one", () => {
  const daily = schedule({ every: "day", at: "06:00" }, before);
  const often = { ...before, when: { every: "interval", minutes: 90 } } as unknown as Schedule;
  const elsewhere = { ...daily, time_zone: "Asia/Tokyo" };
  expect(options({ check: null, prune: { schedule: often }, verify: null })).toBeUndefined();
  expect(options({ check: { schedule: daily, read_percent: 0 }, prune: { schedule: elsewhere }, verify: null })).toBeUndefined();
  expect(options({ check: { schedule: daily, read_percent: 0 }, prune: { schedule: daily }, verify: null })).toBeDefined();
});
