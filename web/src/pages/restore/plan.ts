import type { Tone } from "../../components/StatusBadge";
import { type Action, ACTIONS, type Counts, type Identity, type PlanDetail, type PlanState } from "./contract";

export const TONES: Record<PlanState, Tone> = {
  planning: "waiting",
  ready: "neutral",
  failed: "bad",
  applying: "waiting",
  applied: "good",
  applied_with_issues: "warning",
  canceled: "neutral",
};

/** What a plan does in all. */
export function totals(counts: Counts[]): Record<Action, number> {
  const sum = Object.fromEntries(ACTIONS.map((action) => [action, 0])) as Record<Action, number>;
  for (const of of counts) for (const action of ACTIONS) sum[action] += of[action] ?? 0;
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
  return planned !== null && writes(counts) > 0 && ["ready", "failed", "canceled", "applied_with_issues"].includes(state);
}

/** What was typed into the mapping, as the API takes it; people who stay as they are mapped are not sent. */
export function mapping(identities: Identity[], typed: Record<string, string>): { items: { from: { unique_name: string }; to: { unique_name: string } | null }[] } {
  const items = identities.flatMap(({ from, to }) => {
    const text = typed[from.unique_name]?.trim();
    if (text === undefined || text === (to?.unique_name ?? "")) return [];
    return [{ from: { unique_name: from.unique_name }, to: text === "" ? null : { unique_name: text } }];
  });
  return { items };
}
