import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api/client";

export type SourceState = "protected" | "late" | "never" | "failing" | "unprotected";

export interface Source {
  /** Absent for what has snapshots and no connector any more. */
  connector?: string | null;
  service: string;
  organization: string;
  state: SourceState;
  last_good: { snapshot: string | null; at: string } | null;
  objective_days: number;
  items: number;
  policy: string | null;
  next_run: string | null;
}

/** A source that something backs up. */
export type Connected = Source & { connector: string };

export function isConnected(source: Source): source is Connected {
  return typeof source.connector === "string";
}

export interface Repository {
  name: string;
  bytes: number;
  checked?: string | null;
  damaged?: string | null;
}

/** Whether all is well. */
export interface Overview {
  sources: Source[];
  storage: {
    repositories: Repository[];
    raw_bytes: number;
    stored_bytes: number;
    growth: { day: string; added_bytes: number }[];
  };
  requests: {
    last_day: number;
    throttled_seconds: number;
    connectors: { connector: string; requests: number; throttled_seconds: number }[];
  };
  alarms: { open: number; critical: number };
  unprotected: { connector: string; kind: string; name: string }[];
  next_runs: { policy: string; connector: string; at: string }[];
  runs: { last_day: { succeeded: number; with_issues: number; failed: number; canceled: number } };
  waiting_proposals: number;
}

type Get = (path: string, init: unknown) => Promise<{ data: unknown }>;

const AGAIN = 60_000;

export const overviewQuery = queryOptions({
  queryKey: ["get", "/overview"],
  queryFn: async ({ signal }): Promise<Overview> => {
    const { data } = await (client.GET as unknown as Get)("/overview", { signal });
    return data as Overview;
  },
  // What is late gets late without an event.
  refetchInterval: AGAIN,
});
