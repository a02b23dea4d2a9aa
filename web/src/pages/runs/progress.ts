import type { LiveEvent } from "../../api/live";

/** What is known of a run at work, from the events that were heard since the page opened. */
export interface Progress {
  phase: string | null;
  /** What is read now: a name, or an id. */
  current: string | null;
  items: number;
  expected: number | null;
  bytes: number;
  requests: number;
  /** What the service says is left of the identity's budget. */
  budgetLeft: number | null;
  /** The service asked for a pause: until when, and why. */
  pause: { until: number; reason: string } | null;
  notes: string[];
  issues: number;
  samples: Sample[];
}

interface Sample {
  at: number;
  items: number;
  bytes: number;
}

export const NOTHING: Progress = {
  phase: null,
  current: null,
  items: 0,
  expected: null,
  bytes: 0,
  requests: 0,
  budgetLeft: null,
  pause: null,
  notes: [],
  issues: 0,
  samples: [],
};

/** A minute back: shorter jumps about, longer hides that it got slow. */
const WINDOW = 60_000;
const LEAST = 3_000;
const NOTES = 20;

type Told = Record<string, unknown>;

const number = (value: unknown) => (typeof value === "number" ? value : null);
const text = (value: unknown) => (typeof value === "string" ? value : null);

/** How the run stands after an event that was heard at `at`. */
export function advance(before: Progress, event: Pick<LiveEvent, "name" | "data">, at: number): Progress {
  const told = (event.data ?? {}) as Told;
  switch (event.name) {
    case "phase":
      return { ...before, phase: text(told["phase"]) ?? before.phase, current: null };
    case "progress":
      return progressed(before, told, at);
    case "waiting": {
      const seconds = number(told["seconds"]) ?? 0;
      return { ...before, pause: { until: at + seconds * 1000, reason: text(told["reason"]) ?? "" } };
    }
    case "note": {
      const message = text(told["message"]);
      return message === null ? before : { ...before, notes: [...before.notes, message].slice(-NOTES) };
    }
    case "issue":
      return { ...before, issues: before.issues + 1 };
    default:
      return before;
  }
}

function progressed(before: Progress, told: Told, at: number): Progress {
  const sample = { at, items: number(told["items"]) ?? before.items, bytes: number(told["bytes"]) ?? before.bytes };
  // A further pass of a restore counts from the beginning again.
  const again = sample.items < before.items || sample.bytes < before.bytes;
  const kept = again ? [] : before.samples.filter((one) => one.at >= at - WINDOW);
  return {
    ...before,
    phase: text(told["phase"]) ?? before.phase,
    current: text(told["current"]),
    items: sample.items,
    expected: number(told["expected"]),
    bytes: sample.bytes,
    requests: number(told["requests"]) ?? before.requests,
    budgetLeft: number(told["budget_left"]),
    samples: [...kept, sample],
  };
}

/** How the run stands for who comes in the middle: as the server told it last, until it is heard. */
export function resume(heard: Progress, far: unknown): Progress {
  if (heard.samples.length > 0 || far === undefined || far === null) return heard;
  const told = advance(heard, { name: "progress", data: far }, 0);
  return { ...told, phase: heard.phase ?? told.phase, samples: [] };
}

/** Per second over the last minute; `null` until there is enough to tell. */
export function pace(progress: Progress, of: "items" | "bytes"): number | null {
  const [first, last] = [progress.samples[0], progress.samples.at(-1)];
  if (!first || !last || last.at - first.at < LEAST) return null;
  return ((last[of] - first[of]) * 1000) / (last.at - first.at);
}

/** Seconds to the end, as far as listings told how many items there are. */
export function remaining(progress: Progress): number | null {
  const speed = pace(progress, "items");
  if (progress.expected === null || progress.expected <= progress.items || !speed) return null;
  return (progress.expected - progress.items) / speed;
}

/** From 0 to 1; `null` where nobody knows how much there is. */
export function share(progress: Progress): number | null {
  if (!progress.expected) return null;
  return Math.min(1, progress.items / progress.expected);
}

/** A phase in its parts: `crawl work-item/Payments` reads a kind in a project. */
export function parsePhase(phase: string): { verb: string; kind: string | null; scope: string | null } {
  const [verb = "", ...rest] = phase.split(" ");
  const object = rest.join(" ");
  if (verb !== "crawl" || object === "") return { verb: phase, kind: null, scope: null };
  const slash = object.indexOf("/");
  if (slash < 0) return { verb, kind: object, scope: null };
  return { verb, kind: object.slice(0, slash), scope: object.slice(slash + 1) };
}
