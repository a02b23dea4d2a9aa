import type { Schemas } from "../../api/client";
import type { Tone } from "../../components/StatusBadge";
import { damage } from "./result";

export type Run = Schemas["RunView"];

/** How a run stands, and why. `state` names a text; `why` and `until` are the server's. */
export interface Standing {
  state: string;
  tone: Tone;
  why?: string;
  until?: string;
}

const TONES: Record<string, Tone> = {
  queued: "waiting",
  running: "working",
  throttled: "waiting",
  approval: "waiting",
  succeeded: "good",
  succeeded_with_issues: "warning",
  failed: "bad",
  damaged: "bad",
  canceled: "neutral",
};

export const STATES = ["queued", "running", "succeeded", "succeeded_with_issues", "failed", "canceled"] as const;
export const KINDS = ["backup", "plan", "restore", "verify", "check", "prune", "sync"] as const;

export function isOpen(run: Pick<Run, "state">): boolean {
  return run.state === "queued" || run.state === "running";
}

/** How a run ended; nothing while it is open. A check that found damage did its work, though the server counts it among those that failed. */
export function ended(run: Pick<Run, "state" | "result">): string | undefined {
  if (isOpen(run)) return undefined;
  return run.state === "failed" && damage(run) > 0 ? "damaged" : run.state;
}

export function standing(run: Run, now: number): Standing {
  const waiting = run.waiting ?? undefined;
  const over = waiting?.until != null && Date.parse(waiting.until) <= now;
  if (!isOpen(run) || !waiting || over) {
    const why = run.state === "failed" ? (run.error ?? undefined) : undefined;
    const state = ended(run) ?? run.state;
    return { state, tone: TONES[state] ?? "neutral", ...(why !== undefined && { why }) };
  }
  const special = waiting.code === "throttled" || waiting.code === "approval";
  const state = special ? waiting.code : run.state;
  return {
    state,
    tone: special ? "waiting" : (TONES[run.state] ?? "neutral"),
    why: waiting.message,
    ...(waiting.until != null && { until: waiting.until }),
  };
}

/** Seconds that it took, or takes until now. */
export function seconds(run: Pick<Run, "created" | "finished">, now: number): number {
  const end = run.finished == null ? now : Date.parse(run.finished);
  return Math.max(0, (end - Date.parse(run.created)) / 1000);
}

/** What the run is about: maintenance is of a repository, all else of a connector. */
export function subject(run: Pick<Run, "kind" | "connector" | "repository">): string {
  const own = run.kind === "check" || run.kind === "prune" || run.kind === "sync";
  return (own ? run.repository || run.connector : run.connector || run.repository) || "";
}

/** Items that were added, changed or removed. */
export function changes(run: Pick<Run, "counts">): number {
  const kinds = Object.values(run.counts.kinds);
  return kinds.reduce((sum, kind) => sum + kind.added + kind.changed + kind.removed, 0);
}
