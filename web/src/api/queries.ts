import { MutationCache, type Query, QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

const AGAIN = 3;
const WATCHED = 5;

/** A list that somebody has scrolled far through: all of its pages are read anew at once, and at every event that would never end. */
export function isLong({ state: { data } }: Pick<Query, "state">): boolean {
  const pages = typeof data === "object" && data !== null && "pages" in data ? data.pages : undefined;
  return Array.isArray(pages) && pages.length > WATCHED;
}

/** Refusals are final; what may pass (no connection, overload, a restart) is tried again. */
function retry(failures: number, error: unknown): boolean {
  const { status } = Problem.from(error);
  return (status === 0 || status === 429 || status >= 502) && failures < AGAIN;
}

/** A write may change anything that is on the screen: it is read anew, but for writes with `meta: { reads: true }`. */
const writes = new MutationCache({
  onSuccess: (_data, _variables, _result, { meta }) => {
    if (!meta?.["reads"]) void queries.invalidateQueries();
  },
});

/** Who was signed in and is not any more signs in again and comes back here. */
const reads = new QueryCache({
  onError: (error) => {
    if (Problem.from(error).status !== 401 || !queries.getQueryData(["get", "/me"])) return;
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
    queries: { retry, staleTime: 10_000, refetchOnWindowFocus: (query) => !isLong(query), networkMode: "always" },
    mutations: { retry: false, networkMode: "always" },
  },
});
