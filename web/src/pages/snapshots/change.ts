import type { Schemas } from "../../api/client";
import { inOrder } from "../browse/order";
import type { Of } from "../browse/source";

export type Snapshot = Schemas["SnapshotView"];

/** What may have become of an item, in the order in which it is told. */
export const CHANGES = ["added", "changed", "removed"] as const;

export interface Changes {
  added: number;
  changed: number;
  removed: number;
}

/** What a snapshot changed in all, since the one before. */
export function changesOf(snapshot: Pick<Snapshot, "kinds">): Changes {
  const sum: Changes = { added: 0, changed: 0, removed: 0 };
  for (const kind of Object.values(snapshot.kinds)) {
    sum.added += kind.added;
    sum.changed += kind.changed;
    sum.removed += kind.removed;
  }
  return sum;
}

export function isQuiet({ added, changed, removed }: Changes): boolean {
  return added + changed + removed === 0;
}

/** Heights of bars from 0 to 1, so that one large snapshot does not flatten all others. */
export function heights(amounts: number[]): number[] {
  const most = Math.log1p(Math.max(0, ...amounts));
  return amounts.map((amount) => (most === 0 ? 0 : Math.log1p(amount) / most));
}

/** A place for each organization: its snapshots, by the address of their source. */
export interface Source extends Of {
  /** None where the connector is gone. */
  connector?: string;
  /** Why nobody can tell where it is. */
  unplaced?: string | null | undefined;
  newest?: Snapshot;
}

export const keyOf = ({ service, source, address }: Of): string => `${service}/${address ?? source.toLowerCase()}`;

/** The names that several of these have. */
export function shared(sources: Of[]): Set<string> {
  const names = sources.map(({ source }) => source.toLowerCase());
  return new Set(names.filter((name, at) => names.indexOf(name) !== at));
}

type Known = Pick<Schemas["SourceView"], "connector" | "service" | "organization" | "address" | "address_error">;

/** All sources, each once, with their newest snapshots as far as these are among the given ones; whose connector is gone come last. */
export function sourcesOf(known: Known[], snapshots: Snapshot[]): Source[] {
  const sources = new Map<string, Source>();
  for (const { connector, service, organization, address, address_error: unplaced } of known) {
    const source = { service, source: organization, address, unplaced, ...(connector != null && { connector }) };
    if (!sources.has(keyOf(source))) sources.set(keyOf(source), source);
  }
  for (const snapshot of snapshots) {
    // The newest come first.
    const source = sources.get(keyOf(snapshot));
    if (source) source.newest ??= snapshot;
  }
  return [...sources.values()].toSorted((one, other) => Number(one.connector === undefined) - Number(other.connector === undefined) || one.source.localeCompare(other.source));
}

type Side = { binned: boolean } | null | undefined;

/** What a difference says of the service's recycle bin, as a text of this page. */
export function binRemark(before: Side, after: Side): "in" | "into" | "from" | undefined {
  if (after?.binned) return before?.binned === false ? "into" : "in";
  return after && before?.binned ? "from" : undefined;
}

interface Differing {
  kind: string;
  id: string;
  before?: { name: string } | null | undefined;
  after?: { name: string } | null | undefined;
}

/** What differs, kind by kind as the server tells it, and each kind as people look for its items. */
export function changesInOrder<Change extends Differing>(changes: Change[]): Change[] {
  const kinds = new Map<string, Change[]>();
  for (const change of changes) {
    const known = kinds.get(change.kind);
    if (known) known.push(change);
    else kinds.set(change.kind, [change]);
  }
  return [...kinds.values()].flatMap((all) => {
    const named = all.map((change) => ({ kind: change.kind, id: change.id, name: (change.after ?? change.before)?.name ?? "", change }));
    return inOrder(named).map(({ change }) => change);
  });
}
