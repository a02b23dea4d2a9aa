import type { Schemas } from "../../api/client";
import { type Run, seconds } from "./standing";

/** Read everything: the first backup, or one that was asked to. */
export function isFull(run: Run): boolean {
  const result: unknown = run.result;
  return typeof result === "object" && result !== null && "full" in result && result.full === true;
}

/** What a run does, and of what: only runs of one sort say something about each other. */
function sort(run: Run): string {
  return JSON.stringify([run.kind, run.connector, run.repository, run.policy ?? ""]);
}

/**
 * The last run before this one that says most about it and came to its end: one of the same sort that read as much, else one that read everything
 * and of the same kinds of data. One that went on where another stopped did only the rest.
 */
export function before(run: Run, runs: Run[]): Run | undefined {
  const earlier = runs
    .filter((one) => one.id !== run.id && sort(one) === sort(run) && !one.resumed_from)
    .filter((one) => one.state === "succeeded" || one.state === "succeeded_with_issues")
    .filter((one) => Date.parse(one.created) < Date.parse(run.created))
    .toSorted((one, other) => Date.parse(other.created) - Date.parse(one.created));
  return earlier.find((one) => isFull(one) === isFull(run)) ?? earlier.find((one) => isFull(one) && kinds(one) === kinds(run));
}

function kinds(run: Run): string {
  return Object.keys(run.counts.kinds).toSorted().join(" ");
}

export type Measure = "items" | "changes" | "received" | "stored" | "requests" | "seconds" | "issues";

export interface Comparison {
  measure: Measure;
  now: number;
  then: number;
  /** By how much it grew: 0.5 is half as much again; `null` from nothing. */
  growth: number | null;
  /** Too far from the run before to be left unread. */
  striking: boolean;
}

/** Twice as much of anything, or half the items; small numbers jump about without a reason. */
const STRIKING = 2;
const SMALL: Record<Measure, number> = {
  items: 10,
  changes: 100,
  received: 10_000_000,
  stored: 10_000_000,
  requests: 100,
  seconds: 60,
  issues: 0,
};

function striking(measure: Measure, now: number, then: number): boolean {
  if (measure === "issues") return now > then;
  if (Math.max(now, then) <= SMALL[measure]) return false;
  return now >= then * STRIKING || (measure === "items" && then >= now * STRIKING);
}

export function total(run: Run, of: (kind: Schemas["KindCountsView"]) => number): number {
  return Object.values(run.counts.kinds).reduce((sum, kind) => sum + of(kind), 0);
}

/** Both runs side by side; issues only where both numbers are known. */
export function compared(run: Run, then: Run, issues?: { now: number; then: number }): Comparison[] {
  const changed = (one: Run) => total(one, (kind) => kind.added + kind.changed + kind.removed);
  const rows: [Measure, number, number][] = [
    ["items", total(run, (kind) => kind.items), total(then, (kind) => kind.items)],
    ["changes", changed(run), changed(then)],
    ["received", run.counts.bytes_received, then.counts.bytes_received],
    ["stored", run.counts.bytes_stored, then.counts.bytes_stored],
    ["requests", run.counts.requests, then.counts.requests],
    ["seconds", seconds(run, 0), seconds(then, 0)],
  ];
  if (issues) rows.push(["issues", issues.now, issues.then]);
  return rows.map(([measure, now, was]) => ({
    measure,
    now,
    then: was,
    growth: was === 0 ? null : (now - was) / was,
    striking: striking(measure, now, was),
  }));
}
