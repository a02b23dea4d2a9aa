import type { Schemas } from "../../api/client";

export type Removed = Schemas["RemovedConnector"];

/** Whether a connector is not there any more, whoever removed it. */
export function isGone({ removed, problem }: Removed): boolean {
  return removed || problem?.code === "connector-unknown";
}
