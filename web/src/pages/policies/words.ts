import { amount, listed, span, spanOf, weekday } from "../../components/format";
import { useTexts } from "../../texts";
import { spoken } from "./cron";
import { DAYS } from "./days";
import type { Keep, Schedule, Selection, Within } from "./draft";
import "./texts";

export const PERIODS = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;

type Texts = ReturnType<typeof useTexts>;

function dayWords(t: Texts, days: string[]): string {
  const chosen = new Set(days.map((day) => day.toLowerCase()));
  const numbers = DAYS.flatMap((day, number) => (chosen.has(day) ? [number] : []));
  if (numbers.length === 0 || numbers.length === DAYS.length) return t("words.everyDay");
  const [first, last] = [numbers[0] ?? 0, numbers.at(-1) ?? 0];
  const inRow = last - first === numbers.length - 1;
  return inRow && numbers.length > 2 ? t("words.days", { from: weekday(first), to: weekday(last) }) : listed(numbers.map(weekday));
}

function cronWords(t: Texts, expression: string): string {
  const said = spoken(expression);
  if (!said) return t("words.cron", { expression });
  if ("dayOfMonth" in said) return t("words.eachMonth", { day: said.dayOfMonth, at: said.at });
  return t("words.at", { days: dayWords(t, said.days), times: said.at });
}

function whenWords(t: Texts, when: Schedule["when"]): string {
  switch (when.every) {
    case "manual":
      return t("words.manual");
    case "interval": {
      const [value, unit] = spanOf(when.minutes);
      return t(`words.every.${unit}`, { count: value });
    }
    case "hours":
      return t("words.at", { days: dayWords(t, when.days ?? []), times: listed(when.at.toSorted()) });
    case "cron":
      return cronWords(t, when.expression);
  }
}

/** When something runs by itself, in words. */
export function scheduleWords(t: Texts, { when, time_zone: zone, jitter_minutes: jitter, window }: Schedule): string {
  if (when.every === "manual") return whenWords(t, when);
  const zoned = when.every !== "interval" || window !== null;
  return [
    whenWords(t, when),
    jitter > 0 && t("words.later", { length: span(jitter) }),
    window && t("words.between", window),
    zoned && t("words.zone", { zone }),
  ]
    .filter(Boolean)
    .join("");
}

/** `1 year and 2 days`; `null` for no time at all. */
export function withinWords(within: Within | null): string | null {
  if (!within) return null;
  const parts = (["year", "month", "day", "hour"] as const).flatMap((unit) => {
    const value = within[`${unit}s`];
    return value > 0 ? [amount(value, unit)] : [];
  });
  return parts.length === 0 ? null : listed(parts);
}

/** What retention keeps, in words. */
export function retentionWords(t: Texts, keep: Keep): string {
  const words: string[] = [];
  if (keep.last > 0) words.push(t("words.newest", { count: keep.last }));
  for (const period of PERIODS) if (keep[period] > 0) words.push(t(`words.${period}`, { count: keep[period] }));
  const all = withinWords(keep.within);
  if (all) words.push(t("words.younger", { length: all }));
  for (const period of PERIODS) {
    const length = withinWords(keep[`within_${period}`]);
    if (length) words.push(t(`words.within.${period}`, { length }));
  }
  for (const tags of keep.tags) words.push(t("words.tagged", { tags: listed(tags) }));
  return words.length === 0 ? t("words.everything") : words.join(", ");
}

/** What a policy selects, in words. */
export function selectionWords(t: Texts, { kinds, items }: Selection, title: (kind: string) => string): string {
  const what = kinds.length === 0 ? t("words.all") : kinds.map(title).join(", ");
  return [what, ...choiceWords(t, items, title)].join("; ");
}

/** `Projects: only Shop`, for each kind of which not all items are taken. */
export function choiceWords(t: Texts, items: Selection["items"], title: (kind: string) => string): string[] {
  return Object.entries(items).flatMap(([kind, choice]) => {
    const parts = [
      ...(choice.include?.length ? [t("words.only", { names: choice.include.join(", ") })] : []),
      ...(choice.exclude?.length ? [t("words.without", { names: choice.exclude.join(", ") })] : []),
      ...(choice.new === false ? [t("words.noNew")] : []),
    ];
    return parts.length === 0 ? [] : [`${title(kind)}: ${parts.join(", ")}`];
  });
}

/** The words of schedules where the texts of policies are not at hand. */
export function useScheduleWords(): (schedule: Schedule) => string {
  const t = useTexts("policies");
  return (schedule) => scheduleWords(t, schedule);
}
