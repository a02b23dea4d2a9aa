import { useEffect, useRef } from "react";
import { Problem } from "../../api/problem";
import { useMay, useMe } from "../../shell/session";
import type { Draft } from "./draft";

/** What each part of the editor needs. */
export interface Editing {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  /** `<Field {...at("/name")}>`: what is wrong with this member, or with one inside it. */
  at: At;
}

export type At = (pointer: string) => { validationState?: "error"; validationMessage?: string };

/** Pointers of a change begin with the member that holds the policy. */
const own = (pointer: string) => pointer.replace(/^\/policy(?=\/)/, "");

/** What the server says is wrong, by member; of several refusals the first that names one counts. */
export function wrongAt(...errors: unknown[]): At {
  const fields = errors.flatMap((error) => (error ? (Problem.from(error).body.errors ?? []) : []));
  return (pointer) => {
    const found = fields.filter((field) => {
      const at = own(field.pointer ?? "");
      return at === pointer || at.startsWith(`${pointer}/`);
    });
    const message = [...new Set(found.map(({ detail }) => detail))].join("; ");
    return message === "" ? {} : { validationState: "error", validationMessage: message };
  };
}

/** How many members the server finds wrong. */
export function countWrong(error: unknown): number {
  return error ? (Problem.from(error).body.errors ?? []).length : 0;
}

/** What appears far from the button that was clicked is brought into sight. */
export function useInSight() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Newer browsers answer with a promise, which React would take for what ends the effect.
    ref.current?.scrollIntoView({ block: "center" });
  }, []);
  return ref;
}

/** Policies are for all connectors: whoever reaches some alone does not decide for the others. */
export function useMayEdit(): boolean {
  const may = useMay("manage-policies");
  return useMe().connectors == null && may;
}
