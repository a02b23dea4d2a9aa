import { api, type Schemas } from "../../api/client";

export type Overview = Schemas["Overview"];
export type Source = Schemas["SourceView"];

/** A source that something backs up. */
export type Connected = Source & { connector: string };

export function isConnected(source: Source): source is Connected {
  return typeof source.connector === "string";
}

const AGAIN = 60_000;

export function useOverview() {
  // What is late gets late without an event.
  return api.useQuery("get", "/overview", {}, { refetchInterval: AGAIN });
}
