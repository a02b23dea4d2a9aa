import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";

/** A file or folder of a snapshot. */
export interface StoredFile {
  name: string;
  path: string;
  type: "folder" | "file" | "link" | "other";
  size?: number;
  modified?: string;
}

export interface Part {
  /** Below the item's folder. */
  name: string;
  path: string;
  size: number;
}

/** An item with its files; the document is the first. */
export interface StoredItem {
  kind: string;
  item: string;
  name: string;
  project: string;
  path: string;
  parts: Part[];
  more_parts?: boolean;
  url?: string | null;
}

export interface GitRef {
  name: string;
  target: string;
  peeled?: string | null;
}

export interface GitRefs {
  head?: string | null;
  items: GitRef[];
  next?: string | null;
}

export interface GitCommitLine {
  id: string;
  parents: string[];
  author: string;
  email: string;
  at?: string | null;
  subject: string;
}

interface Signature {
  name: string;
  email: string;
  at?: string | null;
}

export interface GitChange {
  path: string;
  old_path?: string | null;
  status: string;
  added?: number | null;
  removed?: number | null;
}

export interface GitCommit {
  id: string;
  parents: string[];
  author: Signature;
  committer: Signature;
  message: string;
  files: GitChange[];
  more_files: boolean;
  patch: string;
  more_patch: boolean;
}

export interface GitEntry {
  name: string;
  raw_name?: string | null;
  type: "folder" | "file" | "link" | "submodule";
  mode: string;
  id: string;
  size?: number | null;
}

type Query = Record<string, string | number | boolean | undefined>;
type Get = (path: string, init: unknown) => Promise<{ data: unknown }>;

async function ask<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
  const { data } = await (client.GET as unknown as Get)(path, { params: { query }, signal });
  return data as T;
}

// What a snapshot holds never changes: events do not make it stale, and going back does not read it again.
const FOREVER = { staleTime: Number.POSITIVE_INFINITY, gcTime: 600_000 } as const;

/** Something within a snapshot, read once: `/item`, `/git/refs`. */
export function useStored<T>(snapshot: string, path: string, query: Query, enabled = true) {
  return useQuery({
    queryKey: ["stored", snapshot, path, query],
    queryFn: ({ signal }) => ask<T>(`/snapshots/${snapshot}${path}`, query, signal),
    enabled,
    ...FOREVER,
  });
}

/** A list within a snapshot, page by page. */
export function useStoredPages<T>(snapshot: string, path: string, query: Query, enabled = true) {
  const result = useInfiniteQuery({
    queryKey: ["stored", snapshot, path, query, "paged"],
    queryFn: ({ pageParam, signal }) =>
      ask<{ items: T[]; next?: string | null }>(`/snapshots/${snapshot}${path}`, { ...query, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    enabled,
    ...FOREVER,
  });
  return { ...result, items: result.data?.pages.flatMap((page) => page.items) };
}

function address(snapshot: string, path: string, query: Record<string, string | undefined>): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) words.append(key, value);
  return `/api/v1/snapshots/${encodeURIComponent(snapshot)}${path}?${words.toString()}`;
}

/** Where the stored bytes of a file are; with `download`, as a download of that name. */
export function contentUrl(snapshot: string, path: string, download?: string): string {
  return address(snapshot, "/content", { path, download });
}

/** Where the bytes of a file in a git history are. */
export function blobUrl(snapshot: string, repository: string, ref: string, file: string, download?: string): string {
  return address(snapshot, "/git/blob", { path: repository, ref, file, download });
}

/** Where the archive of folders and files is. */
export function archiveUrl(snapshot: string, paths: string[]): string {
  const words = new URLSearchParams(paths.map((path) => ["path", path]));
  return `/api/v1/snapshots/${encodeURIComponent(snapshot)}/archive?${words.toString()}`;
}

/** The beginning of a file, as the server tells it. */
export interface Content {
  type: "text" | "image" | "binary";
  /** Of text. */
  text: string;
  size: number;
  /** There is more than was read. */
  cut: boolean;
}

/** Longer texts are downloads: a browser that shows them is not useful any more. */
export const MOST = 2_000_000;

export async function readContent(url: string, signal?: AbortSignal, most = MOST): Promise<Content> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { Range: `bytes=0-${most - 1}` }, ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw Problem.unreachable();
  }
  if (response.status === 416) return { type: "text", text: "", size: 0, cut: false };
  if (!response.ok) throw await Problem.of(response);
  const type = response.headers.get("content-type") ?? "";
  const length = Number(response.headers.get("content-length") ?? 0);
  const whole = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  const size = whole ? Number(whole[1]) : length;
  if (type.startsWith("text/plain")) {
    const text = await response.text();
    return { type: "text", text, size: size || text.length, cut: size > most };
  }
  await response.body?.cancel();
  return { type: type.startsWith("image/") ? "image" : "binary", text: "", size, cut: false };
}

/** The content at an address of `contentUrl` or `blobUrl`. */
export function useContent(url: string | undefined, most?: number) {
  return useQuery({
    queryKey: ["content", url, most],
    queryFn: ({ signal }) => readContent(url ?? "", signal, most),
    enabled: url !== undefined,
    ...FOREVER,
  });
}

type Write = (path: string, init: unknown) => Promise<{ data: unknown }>;

/** Asks for something to be done. */
export async function post<T>(path: string, body?: unknown): Promise<T> {
  const { data } = await (client.POST as unknown as Write)(path, body === undefined ? {} : { body });
  return data as T;
}
