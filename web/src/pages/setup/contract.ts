import type { Schemas } from "../../api/client";

/** What has snapshots here, and no connector that makes new ones. */
export interface Orphan {
  service: string;
  source: string;
}

export type Run = Schemas["RunView"];

/** How the first start stands; all but `needed` is for who is signed in. */
export type State = Schemas["Setup"] & { restore?: Run | null; without_connector?: Orphan[] };

/** A repository that another server has left. */
export interface RestoreFrom {
  location: string;
  password: string;
  credential_secret?: string;
}

export type Body = Schemas["SetUp"] & { restore?: RestoreFrom };

export function isOpen(run: Run | null | undefined): boolean {
  return run?.state === "queued" || run?.state === "running";
}
