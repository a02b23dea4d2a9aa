import type { Schemas } from "../../api/client";

/** The snapshots that a proposal would have forgotten; none where it is about something else. */
export function forgottenBy(change: Schemas["Proposal"]["change"]): { repository: string; ids: string[] } {
  const { repository = "", snapshots = [] } = change as { repository?: string; snapshots?: string[] };
  return { repository, ids: snapshots };
}
