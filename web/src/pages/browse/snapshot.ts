import { api, type Schemas } from "../../api/client";

export type SnapshotDetail = Schemas["SnapshotDetail"];

/** A snapshot by its id or the beginning of it. */
export function useSnapshot(id: string | undefined) {
  return api.useQuery("get", "/snapshots/{id}", { params: { path: { id: id ?? "" } } }, { enabled: id !== undefined });
}
