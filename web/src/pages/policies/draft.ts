import type { Schemas } from "../../api/client";

export type Policy = Schemas["Policy"];
export type Schedule = Schemas["Schedule"];
export type When = Schemas["When"];
export type Keep = Schemas["Keep"];
export type Within = Schemas["Within"];
export type Selection = Schemas["Selection"];
export type Choice = Schemas["Choice"];
type Limits = Schemas["Limits"];

/** A policy with all of its members, as the editor holds it. */
export interface Draft {
  name: string;
  enabled: boolean;
  connectors: string[];
  selection: Selection;
  schedule: Schedule;
  retention: Keep;
  repository: string | null;
  worker: string[];
  limits: Limits;
  four_eyes: boolean;
}

export const EMPTY_KEEP: Keep = {
  last: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  within: null,
  within_hourly: null,
  within_daily: null,
  within_weekly: null,
  within_monthly: null,
  within_yearly: null,
  tags: [],
};

const SCHEDULE: Schedule = {
  when: { every: "hours", at: ["22:00"], days: [] },
  time_zone: "UTC",
  jitter_minutes: 0,
  missed: "run-once",
  window: null,
};

/** What a new policy begins with: nightly, for a year, and all backups of a week. */
export function fresh(name: string, connectors: string[] = [], zone = "UTC"): Draft {
  return {
    name,
    enabled: true,
    connectors,
    selection: { kinds: [], items: {} },
    schedule: { ...SCHEDULE, time_zone: zone },
    retention: { ...EMPTY_KEEP, daily: 30, weekly: 12, monthly: 12, within: { ...ZERO, days: 7 } },
    repository: null,
    worker: [],
    limits: { runs: null, bytes_per_second: null },
    four_eyes: false,
  };
}

/** A policy of the server, with the members that it leaves out. */
export function draftOf(policy: Policy): Draft {
  const blank = fresh(policy.name);
  return {
    name: policy.name,
    enabled: policy.enabled ?? true,
    connectors: policy.connectors ?? [],
    selection: { ...blank.selection, ...policy.selection },
    schedule: { ...blank.schedule, ...policy.schedule },
    retention: { ...EMPTY_KEEP, ...policy.retention },
    repository: policy.repository ?? null,
    worker: policy.worker ?? [],
    limits: { ...blank.limits, ...policy.limits },
    four_eyes: policy.four_eyes ?? false,
  };
}

export const ZERO: Within = { years: 0, months: 0, days: 0, hours: 0 };

/** A length of nothing is no rule. */
function length(within: Within | null): Within | null {
  const all = { ...ZERO, ...within };
  return Object.values(all).every((part) => part === 0) ? null : all;
}

/** Rules as they are sent: without those that say nothing. */
export function rulesOf(retention: Keep): Keep {
  return {
    ...retention,
    within: length(retention.within),
    within_hourly: length(retention.within_hourly),
    within_daily: length(retention.within_daily),
    within_weekly: length(retention.within_weekly),
    within_monthly: length(retention.within_monthly),
    within_yearly: length(retention.within_yearly),
    tags: retention.tags.map(tidy).filter((tags) => tags.length > 0),
  };
}

/** Whether it forgets anything: without a rule everything is kept. */
export function forgets(retention: Keep): boolean {
  return Object.values(rulesOf(retention)).some((rule) => (Array.isArray(rule) ? rule.length > 0 : rule !== 0 && rule !== null));
}

/** What is sent: without empty lines, and without choices that choose nothing. */
export function bodyOf(draft: Draft): Draft {
  const { retention, selection } = draft;
  const items = Object.entries(selection.items).flatMap(([kind, { include, exclude, new: taken }]) => {
    const choice = { include: tidy(include), exclude: tidy(exclude), new: taken ?? true };
    const chooses = choice.include.length > 0 || choice.exclude.length > 0 || !choice.new;
    return chooses ? [[kind, choice] as const] : [];
  });
  return {
    ...draft,
    name: draft.name.trim(),
    connectors: tidy(draft.connectors),
    selection: { kinds: selection.kinds, items: Object.fromEntries(items) },
    retention: rulesOf(retention),
  };
}

function tidy(lines: string[] | undefined): string[] {
  return (lines ?? []).map((line) => line.trim()).filter(Boolean);
}

/** The lines of a text field; the last one may still be empty while someone types. */
export const lines = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** The parts of `06:00, 22:00`. */
export const parts = (text: string): string[] => tidy(text.split(/[,\s]+/));

/** A number field: nothing typed is `empty`, what is no whole number too. */
export function whole<Empty>(text: string, empty: Empty): number | Empty {
  return /^\d{1,10}$/.test(text.trim()) ? Number(text) : empty;
}

export const MEGABYTE = 1_000_000;

/** Megabytes as they are typed to bytes; `null` for no limit. */
export function rate(text: string): number | null {
  const megabytes = Number(text.trim().replace(",", "."));
  return text.trim() === "" || !Number.isFinite(megabytes) || megabytes < 0 ? null : Math.round(megabytes * MEGABYTE);
}
