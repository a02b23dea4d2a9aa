import { useEffect } from "react";
import { usePaged } from "./paged";

/** Many enough for a filter or a group; whoever needs more pages on by `fetchNextPage`. */
const MOST = 1_000;
const PAGE = 200;

/** A list of the API whose items are needed all at once: its pages are read one after the other, up to a thousand items. */
export function useAll<Item>(path: string, query: Record<string, unknown> = {}, enabled = true) {
  const list = usePaged<Item>(path, { ...query, limit: PAGE }, enabled);
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list;
  const enough = (list.items?.length ?? 0) >= MOST;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && !enough) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, enough, fetchNextPage]);
  return list;
}
