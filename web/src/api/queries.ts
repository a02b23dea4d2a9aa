import { MutationCache, type Query, QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

const AGAIN = 3;
const WATCHED = 5;
const LATER = 15;
const AWAY = 5_000;

/** A list that somebody has scrolled far through: all of its pages are read anew at once, and at every event that would never end. */
export function isLong({ state: { data } }: Pick<Query, "state">): boolean {
  const pages = typeof data === "object" && data !== null && "pages" in data ? data.pages : undefined;
  return Array.isArray(pages) && pages.length > WATCHED;
}

/** It takes longer than a request may, and goes on at the server: nothing failed. */
export function isCounting(error: unknown): boolean {
  return Boolean(error) && Problem.from(error).code === "repository-counting";
}

/** For what may have to be counted first: asked for again when the server says. */
export const COUNTED = {
  refetchInterval: ({ state: { error } }: { state: { error: unknown } }) => isCounting(error) && (Problem.from(error).retryAfter ?? LATER) * 1_000,
};

/** Refusals are final; what may pass (no connection, overload, a restart) is tried again. */
function retry(failures: number, error: unknown): boolean {
  if (isCounting(error)) return false;
  const { status } = Problem.from(error);
  return (status === 0 || status === 429 || status >= 502) && failures < AGAIN;
}

/** A page that was opened while the server was away. */
export function unreached({ state: { error } }: { state: { error: unknown } }): number | false {
  return error && Problem.from(error).away ? AWAY : false;
}

/** A write may change anything that is on the screen: it is read anew, but for writes with `meta: { reads: true }`. */
const writes = new MutationCache({
  onSuccess: (_data, _variables, _result, { meta }) => {
    if (!meta?.["reads"]) void queries.invalidateQueries();
  },
});

/** A dialog, and a page with what is not saved yet. */
const TYPING = '[aria-modal="true"], [data-unsaved="true"]';

let waiting = false;

/** When nothing is being typed any more, what could not be read again meanwhile is asked for once more: it may be gone. */
function askLater() {
  if (waiting) return;
  waiting = true;
  const watch = new MutationObserver(() => {
    if (document.querySelector(TYPING)) return;
    watch.disconnect();
    waiting = false;
    void queries.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" && state.data !== undefined });
  });
  watch.observe(document.body, { childList: true, subtree: true, attributeFilter: ["aria-modal", "data-unsaved"] });
}

/** Pages show what they read; this is for what is read again while they are open. Who was signed in and is not any more signs in again and comes back here. */
const reads = new QueryCache({
  onError: (error, query) => {
    // What is being typed stays: its own refusal tells what is the matter.
    if (document.querySelector(TYPING)) return askLater();
    const { status } = Problem.from(error);
    // What is gone, or not this person's to see any more, is not shown as if it were: unlike what could not be read again.
    if ((status === 404 || status === 403) && query.state.data !== undefined) query.setState({ data: undefined, dataUpdatedAt: 0 });
    if (status !== 401 || !queries.getQueryData(["get", "/me"])) return;
    const here = encodeURIComponent(location.pathname + location.search + location.hash);
    // A new document: nothing of what was seen stays in memory.
    location.assign(`/sign-in?to=${here}&expired=true`);
  },
});

export const queries: QueryClient = new QueryClient({
  queryCache: reads,
  mutationCache: writes,
  defaultOptions: {
    // The server may be on this very machine: a browser that is offline asks it all the same, and no write waits in secret until it is online.
    queries: { retry, refetchInterval: unreached, staleTime: 10_000, refetchOnWindowFocus: (query) => !isLong(query), networkMode: "always" },
    // What was sent may hold a secret: nothing of it stays in memory.
    mutations: { retry: false, networkMode: "always", gcTime: 0 },
  },
});
