import { useQueryClient, type Query, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { isLong } from "./queries";

/** One event of the server's stream. `topic` is the resource's path (`runs`, `policies`), `subject` its id there, or empty for any of them. */
export interface LiveEvent {
  name: string;
  topic: string;
  subject: string;
  connector: string | null;
  data: unknown;
}

type Listener = (event: LiveEvent) => void;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let connected = true;

function setConnected(now: boolean) {
  if (connected !== now) {
    connected = now;
    for (const tell of watchers) tell();
  }
}

/** Lists that a run changes, by the first segment of their path. */
const TOUCHED_BY_RUNS = ["/runs", "/overview", "/issues", "/alarms", "/snapshots", "/connectors", "/restore-plans", "/repositories"];

/** What somebody else wrote may have changed anything that is on the screen, as one's own writes may. */
function stale(queries: QueryClient, topic: string) {
  const touched = ({ queryKey }: Query) => topic !== "runs" || TOUCHED_BY_RUNS.some((path) => String(queryKey[1]).startsWith(path));
  void queries.invalidateQueries({ predicate: (query) => touched(query) && !isLong(query) });
  // They are read anew when they are opened again, or when the person in front of them changes something.
  void queries.invalidateQueries({ predicate: (query) => touched(query) && isLong(query), refetchType: "none" });
}

/** Opens the stream. `onClosed` is called when the browser has given it up, as it does after a refusal or a proxy's error. */
function listen(queries: QueryClient, onClosed: () => void): EventSource {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => {
    // What could not be read meanwhile is read now; of the rest the stream itself tells what changed.
    void queries.invalidateQueries({ predicate: ({ state }) => state.status === "error" });
    setConnected(true);
  });
  source.addEventListener("error", () => {
    setConnected(false);
    if (source.readyState === EventSource.CLOSED) onClosed();
  });
  source.addEventListener("reset", () => void queries.invalidateQueries());
  const heard = (message: MessageEvent<string>) => {
    const event: LiveEvent = { ...JSON.parse(message.data), name: message.type };
    if (event.name === "changed") stale(queries, event.topic);
    for (const listener of listeners) listener(event);
  };
  for (const name of ["changed", "progress", "phase", "issue", "waiting", "note"]) {
    source.addEventListener(name, heard);
  }
  return source;
}

const AGAIN = 5_000;

/** Watches the server for as long as the component lives: whatever changes is read anew. */
export function useLive() {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = () =>
      listen(queries, () => {
        timer = setTimeout(() => {
          source = open();
          // What happened meanwhile was not heard; and whoever is not signed in any more learns it by this.
          void queries.invalidateQueries();
        }, AGAIN);
      });
    let source = open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [queries]);
}

/** Calls `listener` for each event. The function must be stable (`useCallback`). */
export function useLiveEvents(listener: Listener) {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}

/** Whether the stream of events is open. */
export function useConnected(): boolean {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => void watchers.delete(tell);
    },
    () => connected,
  );
}
