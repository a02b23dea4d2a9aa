import { isName } from "./address";

/** The steps of the wizard in their order; some kinds of connectors leave some out. */
export type Step = "connection" | "organizations" | "settings" | "review";

/** An organization that is to be connected, and what its connector is called. */
export interface Pick {
  organization: string;
  name: string;
}

export interface Machine {
  steps: readonly Step[];
  /** The furthest step that was reached; the address says which of them is shown. */
  far: Step;
  /** The wizard at the server; it forgets itself after half an hour. */
  wizard?: string;
  /** As whom it goes on; absent until somebody has signed in. */
  account?: string;
  picks: readonly Pick[];
}

export type Move =
  | { type: "signed-in"; wizard: string; account: string; pick?: Pick | undefined }
  | { type: "forgotten" }
  | { type: "picked"; pick: Pick }
  | { type: "dropped"; organization: string }
  | { type: "named"; organization: string; name: string }
  | { type: "next"; from: Step };

export function start(steps: readonly Step[]): Machine {
  return { steps, far: steps[0] ?? "connection", picks: [] };
}

type Hold = "sign-in" | "nothing-picked" | "name" | "name-twice";

/** Why a step cannot be left forward. */
export function hold(machine: Machine, step: Step): Hold | undefined {
  if (machine.wizard === undefined) return "sign-in";
  if (step === "connection") return undefined;
  if (machine.picks.length === 0) return "nothing-picked";
  // Names are asked for on the next page.
  if (step === "organizations" && machine.steps.includes("settings")) return undefined;
  if (!machine.picks.every(({ name }) => isName(name))) return "name";
  const names = new Set(machine.picks.map(({ name }) => name.toLowerCase()));
  return names.size < machine.picks.length ? "name-twice" : undefined;
}

/** The step that is shown where the address asks for one: none before it was reached, and none behind a step that is held. */
export function stepAt({ steps, far }: Machine, asked: string | undefined, held: (step: Step) => boolean): Step {
  const first = steps.findIndex(held);
  const most = Math.min(steps.indexOf(far), first < 0 ? steps.length : first);
  return steps[Math.min(Math.max(steps.findIndex((step) => step === asked), 0), most)] ?? far;
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function without(machine: Machine, organization: string): Pick[] {
  return machine.picks.filter((pick) => !same(pick.organization, organization));
}

/** The wizard after a move. What cannot be done changes nothing. */
export function move(machine: Machine, made: Move): Machine {
  const { steps, far } = machine;
  switch (made.type) {
    case "signed-in": {
      const { wizard, account, pick } = made;
      return { ...machine, wizard, account, picks: pick ? [pick] : [] };
    }
    case "forgotten":
      // Nothing was saved: it begins again, with what was typed.
      return start(steps);
    case "picked":
      return { ...machine, picks: [...without(machine, made.pick.organization), made.pick] };
    case "dropped":
      return { ...machine, picks: without(machine, made.organization) };
    case "named":
      return {
        ...machine,
        picks: machine.picks.map((pick) => (same(pick.organization, made.organization) ? { ...pick, name: made.name } : pick)),
      };
    case "next":
      return hold(machine, made.from) ? machine : { ...machine, far: steps[Math.max(steps.indexOf(made.from) + 1, steps.indexOf(far))] ?? far };
  }
}
