import { useQuery } from "@tanstack/react-query";
import { Problem } from "../../api/problem";
import type { Archived } from "../restore/basket";

/** What a snapshot holds never changes: events do not make it stale, and going back does not read it again. */
export const FIXED = { staleTime: "static", gcTime: 600_000 } as const;

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

// Longer addresses are refused on their way.
const LONGEST = 16_000;

/** Where the archive of a selection is under /api/v1; `undefined` for one that names too much for an address. */
export function archivePath(snapshot: string, { path = [], kind = [], project = [], whole }: Archived): string | undefined {
  const named = { path, kind, project };
  const words = new URLSearchParams(Object.entries(named).flatMap(([name, values]) => values.map((value) => [name, value])));
  if (whole) words.append("whole", "true");
  const found = `/snapshots/${encodeURIComponent(snapshot)}/archive?${words.toString()}`;
  return found.length > LONGEST ? undefined : found;
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
    ...FIXED,
  });
}
