/** English, as the texts are, in the way of the region that the browser asks for: 22 Nov 2026 or Nov 22, 2026. */
export function localeOf(languages: readonly string[]): string {
  return languages.find((language) => /^en(?:-|$)/i.test(language)) ?? "en";
}

export const LOCALE = localeOf(globalThis.navigator?.languages ?? []);

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(LOCALE, { style: "percent" });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" });
const dayOfWeek = new Intl.DateTimeFormat(LOCALE, { weekday: "long", timeZone: "UTC" });
const conjunction = new Intl.ListFormat(LOCALE, { type: "conjunction" });

const BYTES = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Decimal units, as storage is sold. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < BYTES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${(unit === 0 || value >= 100 ? whole : tenths).format(value)} ${BYTES[unit]}`;
}

export function count(value: number): string {
  return whole.format(value);
}

/** `3.4`, of what is no count: a factor. */
export function decimal(value: number): string {
  return tenths.format(value);
}

/** 0.5 is `50%`. */
export function percent(share: number): string {
  return hundredths.format(share);
}

/** `a, b and c` */
export function listed(words: string[]): string {
  return conjunction.format(words);
}

/** `2 days`, `1 hour`. */
export function amount(value: number, unit: "year" | "month" | "day" | "hour" | "minute"): string {
  return new Intl.NumberFormat(LOCALE, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** The largest unit in which so many minutes are whole: 240 are 4 hours, 90 are 90 minutes. */
export function spanOf(minutes: number): [value: number, unit: "day" | "hour" | "minute"] {
  if (minutes >= 1440 && minutes % 1440 === 0) return [minutes / 1440, "day"];
  return minutes >= 60 && minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"];
}

/** `4 hours`, `90 minutes`, `2 days`. */
export function span(minutes: number): string {
  return amount(...spanOf(minutes));
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `3 hours ago`, `in 2 days`. */
export function ago(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** `22 Nov 2026, 14:03` in the browser's zone. */
export function when(time: string): string {
  return absolute.format(new Date(time));
}

/** `22 Nov`, of a day of the API (UTC). */
export function day(at: Date): string {
  return dayOfYear.format(at);
}

/** `Monday` is 0. */
export function weekday(number: number): string {
  // The first of January 2024 was a Monday.
  return dayOfWeek.format(Date.UTC(2024, 0, 1 + number));
}

/** `1 h 04 min`, `12 s`. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${String(all % 60).padStart(2, "0")} s`;
  return `${Math.floor(all / 3600)} h ${String(Math.floor((all % 3600) / 60)).padStart(2, "0")} min`;
}
