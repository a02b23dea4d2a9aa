import type { Policy } from "./draft";

/** Whether a pattern fits the whole name: `*` is anything, `?` one letter, case does not matter. As long as it may be: no expression is made of it. */
export function matches(pattern: string, name: string): boolean {
  const signs = [...pattern.toLowerCase()];
  const letters = [...name.toLowerCase()];
  let [at, from] = [0, 0];
  // Where the last `*` was, and how much of the name it has taken so far.
  let star: [number, number] | undefined;
  while (from < letters.length) {
    const sign = signs[at];
    if (sign === "*") {
      star = [at, from];
      at += 1;
    } else if (sign === "?" || sign === letters[from]) {
      at += 1;
      from += 1;
    } else if (star) {
      star = [star[0], star[1] + 1];
      [at, from] = [star[0] + 1, star[1]];
    } else return false;
  }
  return signs.slice(at).every((sign) => sign === "*");
}

const fits = (policy: Policy, connector: string) => (policy.connectors ?? []).some((pattern) => matches(pattern, connector));

/** The connectors that a policy is for at present: those that it names, or, when it names none, those that no policy at work names. */
export function covered(policy: Policy, all: Policy[], connectors: string[]): string[] {
  if (policy.connectors?.length) return connectors.filter((connector) => fits(policy, connector));
  return connectors.filter((connector) => !all.some((other) => other.enabled !== false && fits(other, connector)));
}
