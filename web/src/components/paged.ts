import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { client } from "../api/client";

interface Listed<Item> {
  items: Item[];
  next?: string | null;
}

/**
 * A keyset-paged list of the API, more of it on `fetchNextPage`. `path` is the real path with its names filled in.
 * The key begins as that of `api.useQuery`, so that live events reach it.
 */
export function usePaged<Item>(path: string, query: Record<string, unknown> = {}, enabled = true) {
  const options = infiniteQueryOptions({
    queryKey: ["get", path, query, "paged"],
    queryFn: async ({ pageParam, signal }): Promise<Listed<Item>> => {
      const after = pageParam === undefined ? {} : { after: pageParam };
      const init = { params: { query: { ...query, ...after } }, signal };
      // The path is a value here, so that its type is lost; the caller names the item's.
      const { data } = await (client.GET as unknown as Get)(path, init);
      return data as Listed<Item>;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    enabled,
  });
  const result = useInfiniteQuery(options);
  return { ...result, items: result.data?.pages.flatMap((page) => page.items) };
}

type Get = (path: string, init: unknown) => Promise<{ data: unknown }>;
