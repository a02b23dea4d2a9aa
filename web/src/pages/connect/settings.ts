import type { Schemas } from "../../api/client";
import { bodyOfSync, USUAL_SYNC, type Sync } from "./sync";

type Pick = Schemas["PickBody"];

export const PERIODS = ["daily", "weekly", "monthly", "yearly"] as const;
type Period = (typeof PERIODS)[number];

/** What a person chooses before the review (K-10, XA-10 to XA-13). */
export interface Settings {
  sync: Sync;
  worker: string;
  /** A credential that writes for restores; empty for the same as for backups. */
  restore: string;
  /** People who reach some connectors alone and are to reach this one. */
  people: readonly string[];
  /** A retention of its own; absent for that of the policy. */
  keep?: Record<Period, number> | undefined;
}

export const USUAL: Settings = { sync: USUAL_SYNC, worker: "", restore: "", people: [] };

/** Whether the form makes sense. */
export function isComplete({ sync, keep }: Settings): boolean {
  return bodyOfSync(sync) !== undefined && (!keep || PERIODS.some((period) => keep[period] > 0));
}

/** `14 daily, 4 weekly`; empty where every snapshot is kept. */
export function keptWords(t: (key: string) => string, keep: Partial<Record<Period, number | null>>): string {
  const told = PERIODS.filter((period) => (keep[period] ?? 0) > 0);
  return told.map((period) => `${keep[period]} ${t(`settings.${period}`).toLowerCase()}`).join(", ");
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

/** What is set together with the new connectors. What is absent of a retention keeps nothing. */
export function wishesOf({ people, keep }: Settings): { people?: string[]; retention?: Schemas["Keep"] } {
  return {
    ...(people.length > 0 && { people: [...people] }),
    ...(keep && { retention: { ...keep } as Schemas["Keep"] }),
  };
}
