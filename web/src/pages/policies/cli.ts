import type { Choice, Draft, When } from "./draft";
import { EMPTY_KEEP } from "./draft";

/** A policy that is changed: its name, and as it is now. */
interface Edited {
  name: string;
  draft: Draft;
}

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

/** Whether it has no rules but those that have an option. */
function common({ retention }: Draft): boolean {
  const others = (["within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly"] as const).every(
    (rule) => retention[rule] === EMPTY_KEEP[rule],
  );
  return others && retention.tags.length === 0;
}

/** Whether the command line can say all of it: it has options for the common rules of retention, and words that no name is taken for. */
export function sayable(draft: Draft, edited?: Edited): boolean {
  const { within } = draft.retention;
  const { when } = draft.schedule;
  const days = within === null || (within.years === 0 && within.months === 0 && within.hours === 0);
  const named = draft.repository !== "default" && draft.worker.join() !== "any";
  const timed = when.every !== "hours" || when.at.length > 0;
  return days && named && timed && common(draft) && (!edited || (common(edited.draft) && edited.name === draft.name));
}

/** Patterns of one kind; the emptied list of before takes a word of its own. */
function patterns(option: string, kind: string, now: string[] | undefined, before: string[] | undefined): string[] {
  if (now?.length) return each(option, now.map((pattern) => `${kind}=${pattern}`));
  return before?.length ? [option, `${kind}=`] : [];
}

function choiceWords(now: Record<string, Choice>, before: Record<string, Choice>): string[] {
  const kinds = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return kinds.flatMap((kind) => [
    ...patterns("--include", kind, now[kind]?.include, before[kind]?.include),
    ...patterns("--exclude", kind, now[kind]?.exclude, before[kind]?.exclude),
    ...(now[kind]?.new === false ? ["--without-new", kind] : before[kind]?.new === false ? ["--with-new", kind] : []),
  ]);
}

/** The words after `keepward` that make this policy, or make it of the one that is edited. What they leave out stays as it is. */
export function words(draft: Draft, edited?: Edited): string[] {
  const { selection, schedule, retention, limits } = draft;
  const edits = edited !== undefined;
  return [
    "policy",
    edits ? "edit" : "add",
    edits ? edited.name : draft.name,
    draft.enabled ? "--enable" : "--disable",
    ...(draft.connectors.length > 0 || !edits ? each("--connector", draft.connectors) : ["--other-connectors"]),
    ...each("--kind", selection.kinds.length > 0 || !edits ? selection.kinds : ["all"]),
    ...choiceWords(selection.items, edited?.draft.selection.items ?? {}),
    ...whenWords(schedule.when),
    ...["--time-zone", schedule.time_zone, "--jitter", String(schedule.jitter_minutes), "--missed", schedule.missed],
    ...["--window", schedule.window ? `${schedule.window.from}-${schedule.window.to}` : "always"],
    ...(["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const).flatMap((rule) =>
      retention[rule] > 0 || edits ? [`--keep-${rule}`, String(retention[rule])] : [],
    ),
    ...["--keep-within-days", String(retention.within?.days ?? 0)],
    ...["--repository", draft.repository ?? "default"],
    ...each("--worker", draft.worker.length > 0 ? draft.worker : edits ? ["any"] : []),
    ...["--max-runs", String(limits.runs ?? 0), "--max-rate", String(limits.bytes_per_second ?? 0)],
    ...["--four-eyes", draft.four_eyes ? "yes" : "no"],
  ];
}
