import { useEffect } from "react";
import { type ListParams, type ListPath, usePaged } from "./paged";

/** Many enough for a filter or a group; whoever needs more pages on by `fetchNextPage`. */
const MOST = 1_000;
const PAGE = 200;

/** A list of the API whose items are needed all at once: its pages are read one after the other, up to a thousand items. */
export function useAll<Path extends ListPath>(path: Path, params: ListParams<Path>, enabled = true) {
  const { query, ...named } = params as { query?: object };
  const list = usePaged(path, { ...named, query: { ...query, limit: PAGE } } as ListParams<Path>, { enabled });
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list;
  const enough = (list.items?.length ?? 0) >= MOST;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && !enough) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, enough, fetchNextPage]);
  return list;
}
