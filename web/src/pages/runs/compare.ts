import type { Schemas } from "../../api/client";
import { seconds } from "./standing";

type Run = Schemas["RunView"];

/** The last run before this one that did the same and came to its end. */
export function before(run: Run, runs: Run[]): Run | undefined {
  return runs
    .filter((one) => one.id !== run.id && one.kind === run.kind && one.connector === run.connector && one.repository === run.repository)
    .filter((one) => one.state === "succeeded" || one.state === "succeeded_with_issues")
    .filter((one) => Date.parse(one.created) < Date.parse(run.created))
    .toSorted((one, other) => Date.parse(other.created) - Date.parse(one.created))[0];
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
