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

const EVENTS = ["changed", "progress", "phase", "issue", "waiting", "note", "beat"];

/** Opens the stream. `onHeard` is called whenever something comes, `onClosed` when the browser has given it up, as it does after a refusal or a proxy's error. */
function listen(queries: QueryClient, onHeard: () => void, onClosed: () => void): EventSource {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => {
    onHeard();
    // What could not be read meanwhile is read now; of the rest the stream itself tells what changed.
    void queries.invalidateQueries({ predicate: ({ state }) => state.status === "error" });
    setConnected(true);
  });
  source.addEventListener("error", () => {
    onHeard();
    setConnected(false);
    if (source.readyState === EventSource.CLOSED) onClosed();
  });
  source.addEventListener("reset", () => void queries.invalidateQueries());
  const heard = (message: MessageEvent<string>) => {
    onHeard();
    if (message.type === "beat") return;
    const event: LiveEvent = { ...JSON.parse(message.data), name: message.type };
    if (event.name === "changed") stale(queries, event.topic);
    for (const listener of listeners) listener(event);
  };
  for (const name of EVENTS) source.addEventListener(name, heard);
  return source;
}

const AGAIN = 5_000;
/** The server says `beat` every 15 seconds where nothing else is to be said. A way that carries nothing any more, after a change of the network or a sleep, ends without a word. */
const SILENT = 40_000;
/** Connections that were at rest when the network went carry nothing either, and the browser tries one after the other. */
const OPENING = 10_000;

/** Watches the server until what it answers with is called: whatever changes is read anew. */
export function watch(queries: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const after = (time: number, act: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(act, time);
  };
  const open = () => {
    after(OPENING, dead);
    return listen(queries, () => after(SILENT, dead), () => after(AGAIN, refused));
  };
  const again = () => {
    source.close();
    source = open();
  };
  // The server begins with `reset`, after which everything is read anew.
  const dead = () => {
    setConnected(false);
    again();
  };
  const refused = () => {
    again();
    // Whoever is not signed in any more learns it by this.
    void queries.invalidateQueries();
  };
  let source = open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Watches the server for as long as the component lives. */
export function useLive() {
  const queries = useQueryClient();
  useEffect(() => {
    const stop = watch(queries);
    return stop;
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
    isConnected,
  );
}

export function isConnected(): boolean {
  return connected;
}
