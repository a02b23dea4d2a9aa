import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

const AGAIN = 3;

/** Refusals are final; what may pass (no connection, overload, a restart) is tried again. */
function retry(failures: number, error: unknown): boolean {
  const { status } = Problem.from(error);
  return (status === 0 || status === 429 || status >= 502) && failures < AGAIN;
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry, staleTime: 10_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});
