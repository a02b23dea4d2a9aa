import type { Schedule, Tasks } from "./contract";

/** How often something is done, as the form asks for it. `other` is a schedule that the form cannot show: it stays as it is. */
export type Rhythm =
  | { every: "day"; at: string }
  | { every: "week"; at: string; day: string }
  | { every: "month"; at: string; day: string }
  | { every: "other"; words: string };

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** How it reads in the form. */
export function rhythm({ when }: Schedule): Rhythm {
  if (when.every === "hours" && when.at.length === 1) {
    const [at = ""] = when.at;
    const days = when.days ?? [];
    if (days.length === 0) return { every: "day", at };
    if (days.length === 1) return { every: "week", at, day: days[0] ?? "" };
  }
  if (when.every === "cron") {
    const monthly = /^(\d{1,2}) (\d{1,2}) (\d{1,2}) \* \*$/.exec(when.expression.trim());
    if (monthly) {
      const [, minute = "", hour = "", day = ""] = monthly;
      return { every: "month", at: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`, day: String(Number(day)) };
    }
    return { every: "other", words: when.expression };
  }
  if (when.every === "interval") return { every: "other", words: `${when.minutes} min` };
  if (when.every === "hours") return { every: "other", words: [...(when.days ?? []), ...when.at].join(" ") };
  return { every: "other", words: when.every };
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

/** The options of `keepward repository maintenance`. It has one zone and one delay for all tasks: those of the first. */
export function options(tasks: Tasks): string[] {
  const words = (["check", "prune", "verify"] as const).flatMap((name) => {
    const task = tasks[name];
    const when = task ? fields(rhythm(task.schedule), task.schedule) : "off";
    return when === undefined ? [] : [`--${name}`, when];
  });
  const first = tasks.check ?? tasks.prune ?? tasks.verify;
  const percent = tasks.check?.read_percent;
  return [
    ...words,
    ...(percent === undefined ? [] : ["--read-percent", String(percent)]),
    ...(first ? ["--time-zone", first.schedule.time_zone, "--jitter", String(first.schedule.jitter_minutes)] : []),
  ];
}
