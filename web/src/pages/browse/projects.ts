import type { Schemas } from "../../api/client";
import { useStoredPages } from "./contract";
import type { SnapshotDetail } from "./snapshot";

/** The projects of a snapshot by name. More than a page of them are listed as far as they are needed. */
export function useProjects(snapshot: SnapshotDetail, enabled = true) {
  const projects = useStoredPages<Schemas["ItemView"]>(snapshot.id, "/items", { kind: "project", limit: 200 }, enabled);
  const items = projects.items ?? [];
  const names = new Map(items.map(({ id, name }) => [id, name]));
  return {
    isPending: enabled && projects.isPending,
    options: items.map(({ id, name }) => ({ value: id, title: name })).toSorted((one, other) => one.title.localeCompare(other.title)),
    name: (id: string) => names.get(id) ?? id,
  };
}
