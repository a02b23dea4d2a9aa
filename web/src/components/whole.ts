import { useEffect } from "react";

interface List {
  items: unknown[] | undefined;
  error: unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Reads a list on until it is whole or has so many items, where it is needed for more than to be scrolled through. Whether it is whole. */
export function useWhole({ items, error, hasNextPage, isFetchingNextPage, fetchNextPage }: List, most = Infinity, wanted = true): boolean {
  const on = wanted && hasNextPage && !isFetchingNextPage && !error && (items?.length ?? 0) < most;
  useEffect(() => {
    if (on) void fetchNextPage();
  }, [on, fetchNextPage]);
  return items !== undefined && !hasNextPage;
}
