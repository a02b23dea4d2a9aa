import type { Keep, Schedule, Selection, Within } from "./draft";

/** `a, b and c` */
export function listed(words: string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

function dayWords(days: string[]): string {
  const chosen = new Set(days.map((day) => day.toLowerCase()));
  const numbers = DAYS.flatMap((day, number) => (chosen.has(day) ? [number] : []));
  if (numbers.length === 0 || numbers.length === DAYS.length) return "Every day";
  const [first, last] = [numbers[0] ?? 0, numbers.at(-1) ?? 0];
  const names = numbers.map((number) => DAY_NAMES[number] ?? "");
  const inRow = last - first === numbers.length - 1;
  return inRow && numbers.length > 2 ? `${names[0]} to ${names.at(-1)}` : listed(names);
}

/** `4 hours`, `90 minutes`, `2 days`: in the largest unit that fits whole. */
export function minuteWords(minutes: number): string {
  const units: [string, number][] = [
    ["day", 1440],
    ["hour", 60],
    ["minute", 1],
  ];
  const [unit, size] = units.find(([, of]) => minutes >= of && minutes % of === 0) ?? ["minute", 1];
  return amount(minutes / size, unit);
}

function amount(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** When a policy runs, in words. */
export function scheduleWords({ when, time_zone: zone, jitter_minutes: jitter, window }: Schedule): string {
  const later = jitter > 0 ? ` or up to ${minuteWords(jitter)} later` : "";
  const within = window ? `, beginning between ${window.from} and ${window.to}` : "";
  const rest = `${later}${within}`;
  switch (when.every) {
    case "manual":
      return "Only by hand";
    case "interval": {
      const every = minuteWords(when.minutes).replace(/^1 /, "");
      return `Every ${every}${rest}${window ? ` (${zone})` : ""}`;
    }
    case "hours":
      return `${dayWords(when.days ?? [])} at ${listed(when.at.toSorted())}${rest} (${zone})`;
    case "cron":
      return `Cron ${when.expression}${rest} (${zone})`;
  }
}

/** `1 year and 2 days`; `null` for no time at all. */
export function withinWords(within: Within | null): string | null {
  if (!within) return null;
  const parts = (["years", "months", "days", "hours"] as const).flatMap((unit) =>
    within[unit] > 0 ? [amount(within[unit], unit.slice(0, -1))] : [],
  );
  return parts.length === 0 ? null : listed(parts);
}

export const PERIODS = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;

/** What retention keeps, in words. */
export function retentionWords(keep: Keep): string {
  const words: string[] = [];
  if (keep.last > 0) words.push(keep.last === 1 ? "the newest" : `the newest ${keep.last}`);
  for (const period of PERIODS) if (keep[period] > 0) words.push(`${keep[period]} ${period}`);
  const all = withinWords(keep.within);
  if (all) words.push(`everything of ${all}`);
  for (const period of PERIODS) {
    const length = withinWords(keep[`within_${period}`]);
    if (length) words.push(`${period} for ${length}`);
  }
  for (const tags of keep.tags) words.push(`those tagged ${listed(tags)}`);
  return words.length === 0 ? "Everything, for good" : words.join(", ");
}

/** What a policy selects, in words. */
export function selectionWords({ kinds, items }: Selection, title: (kind: string) => string): string {
  const what = kinds.length === 0 ? "Everything" : kinds.map(title).join(", ");
  const choices = Object.entries(items).flatMap(([kind, choice]) => {
    const parts: string[] = [];
    if (choice.include?.length) parts.push(`only ${choice.include.join(", ")}`);
    if (choice.exclude?.length) parts.push(`without ${choice.exclude.join(", ")}`);
    if (choice.new === false) parts.push("no new ones");
    return parts.length === 0 ? [] : [`${title(kind)}: ${parts.join(", ")}`];
  });
  return [what, ...choices].join("; ");
}
