import type { Schemas } from "../../api/client";
import type { Tone } from "../../components/StatusBadge";

export type Plan = Schemas["RestorePlanView"];
export type PlanDetail = Schemas["RestorePlanDetail"];
export type Step = Schemas["RestoreStepView"];
export type Identity = Schemas["RestoreIdentity"];
type Counts = Schemas["RestorePlanCounts"];

export const STATES = ["planning", "ready", "applying", "applied", "applied_with_issues", "failed", "canceled"] as const;
export const ACTIONS = ["create", "undelete", "replace", "merge", "remove", "skip", "export"] as const;
type Action = (typeof ACTIONS)[number];

const TONES: Record<string, Tone> = {
  planning: "waiting",
  ready: "neutral",
  failed: "bad",
  applying: "waiting",
  applied: "good",
  applied_with_issues: "warning",
  canceled: "neutral",
};

/** How a plan stands, in color. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? "neutral";
}

/** What a plan does in all. */
export function totals(counts: Counts[]): Record<Action, number> {
  const sum = Object.fromEntries(ACTIONS.map((action) => [action, 0])) as Record<Action, number>;
  for (const of of counts) for (const action of ACTIONS) sum[action] += of[action];
  return sum;
}

/** Actions that write into the target. */
const WRITES: Action[] = ["create", "undelete", "replace", "merge", "remove"];

/** How many items applying would write. */
export function writes(counts: Counts[]): number {
  const sum = totals(counts);
  return WRITES.reduce((all, action) => all + sum[action], 0);
}

/** A plan can be applied when it is whole and nobody is at it; what was interrupted can be gone on with. */
export function canApply({ state, planned_at: planned, counts }: Pick<PlanDetail, "state" | "planned_at" | "counts">): boolean {
  return Boolean(planned) && writes(counts) > 0 && ["ready", "failed", "canceled", "applied_with_issues"].includes(state);
}

/** What was typed into the mapping, as the API takes it; people who stay as they are mapped are not sent. */
export function mapping(identities: Identity[], typed: Record<string, string>): Schemas["MapIdentities"] {
  const items = identities.flatMap(({ from, to }) => {
    const text = typed[from.unique_name]?.trim();
    if (text === undefined || text === (to?.unique_name ?? "")) return [];
    return [{ from: { unique_name: from.unique_name }, to: text === "" ? null : { unique_name: text } }];
  });
  return { items };
}
