import { createContext, useContext } from "react";
import type { Schemas } from "../../api/client";
import { api } from "../../api/client";
import type { Snapshot } from "../snapshots/change";

export type SnapshotDetail = Snapshot & Pick<Schemas["SnapshotDetail"], "stale" | "stale_items" | "issues">;

/** A snapshot by its id or the beginning of it. */
export function useSnapshot(id: string | undefined) {
  const query = api.useQuery("get", "/snapshots/{id}", { params: { path: { id: id ?? "" } } }, { enabled: id !== undefined });
  return { ...query, data: query.data as SnapshotDetail | undefined };
}

/** The snapshot that the page is about. */
export const CurrentSnapshot = createContext<SnapshotDetail | undefined>(undefined);

export function useCurrentSnapshot(): SnapshotDetail {
  const snapshot = useContext(CurrentSnapshot);
  if (!snapshot) throw new Error("no snapshot here");
  return snapshot;
}
