import type { Schemas } from "../../api/client";
import { draftOf, forgets, fresh, type Keep, type Policy, rulesOf, ZERO } from "../policies/draft";
import { bodyOfSync, USUAL_SYNC, type Sync } from "./sync";

type Pick = Schemas["PickBody"];

export const PERIODS = ["daily", "weekly", "monthly", "yearly"] as const;

/** What a person chooses before the review (K-10, XA-10 to XA-13). */
export interface Settings {
  sync: Sync;
  worker: string;
  /** A credential that writes for restores; empty for the same as for backups. */
  restore: string;
  /** People who reach some connectors alone and are to reach this one. */
  people: readonly string[];
  /** A retention of its own; absent for that of the policy. */
  keep?: Keep | undefined;
}

export const USUAL: Settings = { sync: USUAL_SYNC, worker: "", restore: "", people: [] };

/** Whether the form makes sense. */
export function isComplete({ sync, keep }: Settings): boolean {
  return bodyOfSync(sync) !== undefined && (!keep || forgets(keep));
}

/** What a retention of its own begins with: all that the policy keeps, or the usual where that is everything for good. */
export function ownKeep(policy: Policy): Keep {
  const { retention } = draftOf(policy);
  return forgets(retention) ? retention : fresh(policy.name).retention;
}

/** What is sent of an organization that was picked. */
export function pickOf(organization: string, name: string, settings: Settings): Pick {
  const sync = bodyOfSync(settings.sync);
  return {
    organization,
    ...(name !== "" && { name }),
    ...(sync && { sync }),
    ...(settings.worker !== "" && { worker: settings.worker }),
    ...(settings.restore !== "" && { restore_credential: settings.restore }),
  };
}

/** What is set together with the new connectors. Without a length of `within` the server would keep all of a week. */
export function wishesOf({ people, keep }: Settings): { people?: string[]; retention?: Keep } {
  return {
    ...(people.length > 0 && { people: [...people] }),
    ...(keep && { retention: { ...rulesOf(keep), within: keep.within ?? ZERO } }),
  };
}
