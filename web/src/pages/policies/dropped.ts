import type { Schemas } from "../../api/client";

/** The snapshots that rules would drop, the oldest first; those whose time is not known come first. */
export function dropped(
  { snapshots }: Pick<Schemas["RetentionView"], "snapshots">,
  known: Pick<Schemas["SnapshotView"], "id" | "time">[],
): { id: string; time: string | null }[] {
  const times = new Map(known.map(({ id, time }) => [id, time]));
  return snapshots
    .filter(({ keep }) => !keep)
    .map(({ snapshot }) => ({ id: snapshot, time: times.get(snapshot) ?? null }))
    .toSorted((one, other) => (one.time ?? "").localeCompare(other.time ?? ""));
}
