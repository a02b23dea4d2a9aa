import type { Schemas } from "../../api/client";

type SyncBody = Schemas["SyncBody"];

/** How new repositories, projects and users come into the backup, as a form has it. */
export interface Sync {
  addNew: boolean;
  by: "hours" | "interval";
  /** `2, 14` */
  hours: string;
  timeZone: string;
  /** Minutes. */
  interval: string;
}

export const USUAL_SYNC: Sync = { addNew: true, by: "hours", hours: "2", timeZone: "UTC", interval: "360" };

export function syncOf(body: SyncBody): Sync {
  return {
    addNew: body.add_new,
    by: body.hours ? "hours" : "interval",
    hours: body.hours?.join(", ") ?? USUAL_SYNC.hours,
    timeZone: body.time_zone ?? USUAL_SYNC.timeZone,
    interval: String(body.interval_minutes ?? USUAL_SYNC.interval),
  };
}

/** Full hours of the day, or nothing where the text holds anything else. */
export function hoursOf(text: string): number[] | undefined {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  if (words.length === 0 || !words.every((word) => /^\d{1,2}$/.test(word) && Number(word) < 24)) return undefined;
  return [...new Set(words.map(Number))].toSorted((a, b) => a - b);
}

export function minutesOf(text: string): number | undefined {
  const minutes = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return minutes >= 5 && minutes <= 44_640 ? minutes : undefined;
}

/** What is sent; nothing while the form makes no sense. */
export function bodyOfSync(sync: Sync): SyncBody | undefined {
  if (sync.by === "hours") {
    const hours = hoursOf(sync.hours);
    return hours && { add_new: sync.addNew, hours, time_zone: sync.timeZone.trim() || "UTC" };
  }
  const minutes = minutesOf(sync.interval);
  return minutes === undefined ? undefined : { add_new: sync.addNew, interval_minutes: minutes };
}
