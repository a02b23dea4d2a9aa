import type { Schemas } from "../../api/client";

type Told = Pick<Schemas["SnapshotView"], "stale_parts" | "stale_items">;

/** What a snapshot holds of a kind as it was earlier, since it could not be read: in all of the organization, or in these projects. */
export interface StaleKind {
  kind: string;
  /** Names, or ids where nobody knows the name; empty for all of the organization. */
  scopes: string[];
  /** When the oldest of it was read. */
  since: string;
}

/** The kinds in the order in which they are told, each once. */
export function staleKinds({ stale_parts: parts }: Pick<Told, "stale_parts">): StaleKind[] {
  const kinds = new Map<string, StaleKind>();
  for (const { kind, scope, scope_name: name, since } of parts) {
    const known = kinds.get(kind) ?? { kind, scopes: [], since };
    if (scope !== "") known.scopes.push(name ?? scope);
    if (since < known.since) known.since = since;
    kinds.set(kind, known);
  }
  return [...kinds.values()];
}

export function isStale({ stale_parts: parts, stale_items: items }: Told): boolean {
  return parts.length > 0 || items > 0;
}
