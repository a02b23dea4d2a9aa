import type { PlanDetail, Step } from "./plan";

export type Loss = PlanDetail["losses"][number];

/** Whether a step writes: what is skipped or exported loses nothing. */
export function isWritten({ action }: Pick<Step, "action">): boolean {
  return action !== "skip" && action !== "export";
}

/** Losses that were found while a plan was applied and that several items have: each once, with how many. */
export function foundLosses(steps: Pick<Step, "kind" | "action" | "losses">[], told: Loss[]): Loss[] {
  const found = new Map<string, Loss>();
  for (const step of steps) {
    for (const text of isWritten(step) ? ownLosses(step, told) : []) {
      const key = `${step.kind} ${text}`;
      const known = found.get(key);
      if (known) known.items += 1;
      else found.set(key, { kind: step.kind, text, items: 1 });
    }
  }
  return [...found.values()].filter(({ items }) => items > 1);
}

/** Losses of a step beyond those that are told once for all items that have them. */
export function ownLosses({ kind, losses }: Pick<Step, "kind" | "losses">, told: Loss[]): string[] {
  const common = new Set(told.filter((loss) => loss.kind === kind).map(({ text }) => text));
  return [...new Set(losses)].filter((loss) => !common.has(loss));
}
