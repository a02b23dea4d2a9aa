import { type ListParams, type ListPath, usePaged } from "./paged";

/** Many enough for a filter or a group, and as many as one page has at most; whoever needs more pages on by `fetchNextPage`. */
const MOST = 1_000;

/** A list of the API whose items are needed all at once, up to a thousand. */
export function useAll<Path extends ListPath>(path: Path, params: ListParams<Path>, enabled = true) {
  const { query, ...named } = params as { query?: object };
  return usePaged(path, { ...named, query: { ...query, limit: MOST } } as ListParams<Path>, { enabled });
}
