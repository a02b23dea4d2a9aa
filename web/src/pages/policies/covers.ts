import type { Policy } from "./draft";

/** Whether a pattern fits the whole name: `*` is anything, `?` one letter, case does not matter. */
export function matches(pattern: string, name: string): boolean {
  const escaped = pattern.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const expression = escaped.replaceAll(/\*+/g, "[^]*").replaceAll("?", "[^]");
  return new RegExp(`^${expression}$`, "u").test(name.toLowerCase());
}

const fits = (policy: Policy, connector: string) => (policy.connectors ?? []).some((pattern) => matches(pattern, connector));

/** The connectors that a policy is for at present: those that it names, or, when it names none, those that no policy at work names. */
export function covered(policy: Policy, all: Policy[], connectors: string[]): string[] {
  if (policy.connectors?.length) return connectors.filter((connector) => fits(policy, connector));
  return connectors.filter((connector) => !all.some((other) => other.enabled !== false && fits(other, connector)));
}
