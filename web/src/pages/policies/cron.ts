import { DAYS } from "./days";

/** What people would say with a time: on which days of the week (none is all), or on which day of the month. */
type Spoken = { at: string; days: string[] } | { at: string; dayOfMonth: number };

/** `mon-fri`, `sat,sun` as days in their order; `undefined` for anything else. */
function daysOf(field: string): string[] | undefined {
  if (field === "*") return [];
  const chosen = new Set<string>();
  for (const range of field.split(",")) {
    const [from, to = from, ...more] = range.split("-").map((day) => DAYS.findIndex((one) => one === day));
    if (from === undefined || to === undefined || from < 0 || to < from || more.length > 0) return undefined;
    for (const day of DAYS.slice(from, to + 1)) chosen.add(day);
  }
  return DAYS.filter((day) => chosen.has(day));
}

/** A cron expression as people would say it; `undefined` where they would not. */
export function spoken(expression: string): Spoken | undefined {
  const [minute = "", hour = "", day, month, week, ...more] = expression.trim().toLowerCase().split(/\s+/);
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}$/.test(hour) || month !== "*" || week === undefined || more.length > 0) return undefined;
  const at = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (day === "*") {
    const days = daysOf(week);
    return days && { at, days };
  }
  return week === "*" && day !== undefined && /^\d{1,2}$/.test(day) ? { at, dayOfMonth: Number(day) } : undefined;
}
