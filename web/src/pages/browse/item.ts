import { useMemo } from "react";
import { api, type Schemas } from "../../api/client";
import { contentUrl, FIXED, useContent } from "./content";
import { type Document, isDocument, readRecords } from "./records";
import type { SnapshotDetail } from "./snapshot";

/** An item with its files; the document is the first. */
export type StoredItem = Schemas["StoredItemView"];

/** What a view of an item gets. */
export interface ViewProps {
  snapshot: SnapshotDetail;
  item: StoredItem;
  /** Absent where it is no JSON object. */
  document: Document | undefined;
}

export function useItem(snapshot: string, kind: string, item: string, enabled = true) {
  const params = { path: { id: snapshot }, query: { kind, item } };
  return api.useQuery("get", "/snapshots/{id}/item", { params }, { enabled, ...FIXED });
}

function parseDocument(text: string | undefined): Document | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isDocument(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// Documents of single items; the console reads none that is longer.
const MOST = 16_000_000;

/** A JSON file of a snapshot. */
export function useDocument(snapshot: string, path: string | undefined) {
  const content = useContent(path === undefined ? undefined : contentUrl(snapshot, path), MOST);
  const text = content.data?.text;
  const document = useMemo(() => parseDocument(text), [text]);
  return { ...content, text, document };
}

/** A file of an item with one record a line; none where the item has no such file. */
export function useRecords(snapshot: string, item: StoredItem, name: string) {
  const part = item.parts.find((one) => one.name === name);
  const content = useContent(part && contentUrl(snapshot, part.path), MOST);
  const { data } = content;
  const records = useMemo(() => {
    if (!part) return { items: [], damaged: [], cut: false };
    if (!data) return undefined;
    // The last line of a part of a file is no record.
    const text = data.cut ? data.text.slice(0, data.text.lastIndexOf("\n") + 1) : data.text;
    return { ...readRecords(text), cut: data.cut };
  }, [part, data]);
  return { ...content, isPending: part !== undefined && content.isPending, data: records };
}
