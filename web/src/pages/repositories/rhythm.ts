import type { Schemas } from "../../api/client";
import { spoken } from "../policies/cron";

type Schedule = Schemas["Schedule"];
type Tasks = Schemas["SetMaintenance"];

/** How often something is done, as the form asks for it. `other` is a schedule that the form cannot show: it stays as it is. */
export type Rhythm =
  | { every: "day"; at: string }
  | { every: "week"; at: string; day: string }
  | { every: "month"; at: string; day: string }
  | { every: "other" };

/** How it reads in the form. */
export function rhythm({ when }: Schedule): Rhythm {
  if (when.every === "hours" && when.at.length === 1) {
    const [at = ""] = when.at;
    const days = when.days ?? [];
    if (days.length === 0) return { every: "day", at };
    if (days.length === 1) return { every: "week", at, day: days[0] ?? "" };
  }
  if (when.every === "cron") {
    const said = spoken(when.expression);
    if (said && "dayOfMonth" in said) return { every: "month", at: said.at, day: String(said.dayOfMonth) };
  }
  return { every: "other" };
}

/** What is sent for it; everything of `before` that the form does not show stays. */
export function schedule(of: Rhythm, before: Schedule): Schedule {
  switch (of.every) {
    case "day":
      return { ...before, when: { every: "hours", at: [of.at], days: [] } };
    case "week":
      return { ...before, when: { every: "hours", at: [of.at], days: [of.day] } };
    case "month": {
      const [hour = "0", minute = "0"] = of.at.split(":");
      return { ...before, when: { every: "cron", expression: `${Number(minute)} ${Number(hour)} ${of.day} * *` } };
    }
    case "other":
      return before;
  }
}

/** The fields of cron for a schedule; absent where it has none. */
function fields(of: Rhythm, { when }: Schedule): string | undefined {
  if (of.every === "other") return when.every === "cron" ? when.expression : undefined;
  const [hour = "0", minute = "0"] = of.at.split(":");
  const time = `${Number(minute)} ${Number(hour)}`;
  if (of.every === "day") return `${time} * * *`;
  return of.every === "week" ? `${time} * * ${of.day}` : `${time} ${of.day} * *`;
}

const NAMES = ["check", "prune", "verify"] as const;

/** The options of `keepward repository maintenance`; `undefined` for what one command cannot say: it has one zone and one delay for all tasks. */
export function options(tasks: Tasks): string[] | undefined {
  const words = NAMES.map((name) => {
    const task = tasks[name];
    const when = task ? fields(rhythm(task.schedule), task.schedule) : "off";
    return when === undefined ? undefined : [`--${name}`, when];
  });
  const set = NAMES.flatMap((name) => tasks[name] ?? []);
  const of = set.map(({ schedule: { time_zone: zone, jitter_minutes: jitter } }) => ["--time-zone", zone, "--jitter", String(jitter)]);
  const alike = of.every((one) => one.join() === of[0]?.join());
  if (!alike || words.includes(undefined)) return undefined;
  const percent = tasks.check?.read_percent;
  return [...words.flatMap((one) => one ?? []), ...(percent === undefined ? [] : ["--read-percent", String(percent)]), ...(of[0] ?? [])];
}
