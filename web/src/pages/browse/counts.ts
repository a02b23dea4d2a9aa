import { api, type Schemas } from "../../api/client";
import { FIXED } from "./content";
import type { SnapshotDetail } from "./snapshot";

type ProjectCount = Schemas["ProjectCountView"];

interface ProjectEntry {
  id: string;
  name: string;
  items: number;
}

/** The items of each kind, in all or of one project. */
export function ofKinds(counts: ProjectCount[], project: string | undefined): Map<string, number> {
  const sums = new Map<string, number>();
  for (const count of counts) {
    if (project === undefined || count.project === project) sums.set(count.kind, (sums.get(count.kind) ?? 0) + count.items);
  }
  return sums;
}

/** The projects by name, with how much of a kind they have. Projects that have none of it are there too. */
export function ofProjects(counts: ProjectCount[], kind: string): ProjectEntry[] {
  const projects = new Map<string, ProjectEntry>();
  for (const { project: id, name, kind: of, items } of counts) {
    if (id === "") continue;
    const entry = projects.get(id) ?? { id, name: name ?? id, items: 0 };
    projects.set(id, of === kind ? { ...entry, items: entry.items + items } : entry);
  }
  return [...projects.values()].toSorted((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
}

export function useCounts(snapshot: SnapshotDetail) {
  return api.useQuery("get", "/snapshots/{id}/counts", { params: { path: { id: snapshot.id } } }, FIXED);
}
