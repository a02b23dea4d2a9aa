import type { Draft, When } from "./draft";
import { EMPTY_KEEP } from "./draft";

function whenWords(when: When): string[] {
  switch (when.every) {
    case "manual":
      return ["--manual"];
    case "interval":
      return ["--every", String(when.minutes)];
    case "cron":
      return ["--cron", when.expression];
    case "hours":
      return [...when.at.flatMap((at) => ["--at", at]), ...(when.days ?? []).flatMap((day) => ["--day", day])];
  }
}

const each = (option: string, values: string[]) => values.flatMap((value) => [option, value]);

/** Whether the command line can say all of it: it has options for the common rules of retention. */
export function sayable({ retention }: Draft): boolean {
  const { within } = retention;
  const days = within === null || (within.years === 0 && within.months === 0 && within.hours === 0);
  const others = (["within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly"] as const).every(
    (rule) => retention[rule] === EMPTY_KEEP[rule],
  );
  return days && others && retention.tags.length === 0;
}

/** The words after `keepward` that make or change this policy. */
export function words(verb: "add" | "edit", name: string, draft: Draft): string[] {
  const { selection, schedule, retention, limits } = draft;
  const choices = Object.entries(selection.items);
  const edits = verb === "edit";
  return [
    "policy",
    verb,
    name,
    draft.enabled ? "--enable" : "--disable",
    ...each("--connector", draft.connectors),
    ...each("--kind", selection.kinds),
    ...choices.flatMap(([kind, { include }]) => each("--include", (include ?? []).map((pattern) => `${kind}=${pattern}`))),
    ...choices.flatMap(([kind, { exclude }]) => each("--exclude", (exclude ?? []).map((pattern) => `${kind}=${pattern}`))),
    ...choices.flatMap(([kind, choice]) => (choice.new === false ? ["--without-new", kind] : edits ? ["--with-new", kind] : [])),
    ...whenWords(schedule.when),
    ...["--time-zone", schedule.time_zone, "--jitter", String(schedule.jitter_minutes), "--missed", schedule.missed],
    ...["--window", schedule.window ? `${schedule.window.from}-${schedule.window.to}` : "always"],
    ...(["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const).flatMap((rule) =>
      retention[rule] > 0 || edits ? [`--keep-${rule}`, String(retention[rule])] : [],
    ),
    ...(retention.within ? ["--keep-within-days", String(retention.within.days)] : []),
    ...["--repository", draft.repository ?? "default"],
    ...each("--worker", draft.worker.length > 0 ? draft.worker : edits ? ["any"] : []),
    ...["--max-runs", String(limits.runs ?? 0), "--max-rate", String(limits.bytes_per_second ?? 0)],
    ...["--four-eyes", draft.four_eyes ? "yes" : "no"],
  ];
}
