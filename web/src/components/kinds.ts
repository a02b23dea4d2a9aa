import { api, type Schemas } from "../api/client";

export type Kind = Schemas["KindView"];

const NONE: Kind[] = [];

/** The kinds of data of all services, in the order in which they are read; none until the server has told them, which it does once. */
export function useKinds(): Kind[] {
  return api.useQuery("get", "/kinds", {}, { staleTime: "static" }).data?.items ?? NONE;
}

/** `git-repository` as people read it: `Git repositories`. */
export function useKindTitle(): (kind: string) => string {
  const kinds = useKinds();
  return (kind) => kinds.find(({ id }) => id === kind)?.title ?? plain(kind);
}

/** Those of some kinds that have rows of their own: what is a part of other items is counted and shown with these. */
export function withRows(ids: Iterable<string>, kinds: readonly Kind[]): string[] {
  const parts = new Set(kinds.flatMap(({ id, within }) => (within ? id : [])));
  return [...ids].filter((id) => !parts.has(id));
}

/** A kind that this server does not know, in a snapshot of a newer one. */
function plain(kind: string): string {
  const words = kind.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
