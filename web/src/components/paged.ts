import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import { client } from "../api/client";
import type { paths } from "../api/schema";

/** What the document says of a list: its parameters and its items. */
type Described<Path extends keyof paths> = paths[Path] extends {
  get: {
    parameters: { query?: infer Query; path?: infer Names };
    responses: { 200: { content: { "application/json": { items: (infer Item)[] } } } };
  };
}
  ? { query: Query; names: Names; item: Item }
  : never;

/** The paths that answer with a list. */
export type ListPath = { [Path in keyof paths]: [Described<Path>] extends [never] ? never : Path }[keyof paths];

type ItemOf<Path extends ListPath> = Described<Path>["item"];

/** `{ path: { id }, query: { kind } }`: what the list's path and its query name. */
export type ListParams<Path extends ListPath> = { query?: Described<Path>["query"] } & (undefined extends Described<Path>["names"]
  ? unknown
  : { path: Described<Path>["names"] });

interface Options {
  enabled?: boolean;
  /** How many items each page has after the first, which is to be there soon. */
  more?: number;
  staleTime?: "static";
  gcTime?: number;
}

interface Listed<Item> {
  items: Item[];
  next?: string | null;
}

type Get<Item> = (path: string, init: unknown) => Promise<{ data: Listed<Item> }>;

// One function for all lists: what it makes stays the same as long as the pages do.
const joined = <Item>({ pages }: InfiniteData<Listed<Item>>) => ({ items: pages.flatMap(({ items }) => items) });

/**
 * A list of the API, more of it on `fetchNextPage`. Its answer has the form of one page, so that lists with and without pages are
 * shown alike; its key begins as that of `api.useQuery`, so that live events reach it.
 */
export function usePaged<Path extends ListPath>(path: Path, params: ListParams<Path>, { more, ...options }: Options = {}) {
  const { query, ...named } = params as { query?: object };
  const result = useInfiniteQuery({
    queryKey: ["get", path, { params }, "paged"],
    queryFn: async ({ pageParam, signal }): Promise<Listed<ItemOf<Path>>> => {
      // The client cannot follow a path that is a variable; its types are those of this function.
      const get = client.GET as unknown as Get<ItemOf<Path>>;
      // Where few of many match, a page can be empty and more follow all the same.
      for (let after = pageParam; ; ) {
        const from = after === undefined ? {} : { after, ...(more && { limit: more }) };
        const { data } = await get(path, { params: { ...named, query: { ...query, ...from } }, signal });
        if (data.items.length > 0 || data.next == null) return data;
        after = data.next;
      }
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    select: joined<ItemOf<Path>>,
    ...options,
  });
  return { ...result, items: result.data?.items };
}
