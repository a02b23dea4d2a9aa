import { usePaged } from "../../components/paged";
import { FIXED } from "./content";
import type { SnapshotDetail } from "./snapshot";

/** The projects of a snapshot by name. More than a page of them are listed as far as they are needed. */
export function useProjects(snapshot: SnapshotDetail, enabled = true) {
  const projects = usePaged("/snapshots/{id}/items", { path: { id: snapshot.id }, query: { kind: "project", limit: 200 } }, { enabled, ...FIXED });
  const items = projects.items ?? [];
  const names = new Map(items.map(({ id, name }) => [id, name]));
  return {
    isPending: enabled && projects.isPending,
    options: items.map(({ id, name }) => ({ value: id, title: name })).toSorted((one, other) => one.title.localeCompare(other.title, undefined, { numeric: true })),
    name: (id: string) => names.get(id) ?? id,
  };
}
