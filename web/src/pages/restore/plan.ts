import type { Schemas } from "../../api/client";
import type { Problem } from "../../api/problem";
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

/** What applying is going to do: which words of `texts.ts` say so, and of how many items. */
export function announced({ counts, undoes }: Pick<PlanDetail, "counts" | "undoes">): [words: string, items: number][] {
  const { replace, remove } = totals(counts);
  const written = writes(counts) - remove;
  const lines: [string, number][] = undoes
    ? [
        ["detail.applyRemoves", remove],
        ["detail.applyPutsBack", written],
      ]
    : [
        ["detail.applyText", written],
        ["detail.applyReplaces", replace],
      ];
  return lines.filter(([, items]) => items > 0);
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

/** How the account that is written for a person stands at the target. */
export function knownAs({ found, to }: Pick<Identity, "found" | "to">): "found" | "notFound" | "unchecked" {
  if (to) return to.checked ? "found" : "unchecked";
  return found ? "found" : "notFound";
}

/** The accounts that the target does not know, by the person whose place they were to take. */
export function unknownAccounts(error: Problem | undefined, { items }: Schemas["MapIdentities"]): Record<string, string> {
  const refused = items.filter((_, at) => error?.field(`/items/${at}/to/unique_name`));
  return Object.fromEntries(refused.map(({ from, to }) => [from.unique_name, to?.unique_name ?? ""]));
}
