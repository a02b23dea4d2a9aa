import { type Document, listAt, personOf, textAt } from "./records";

export interface Comment {
  id: string;
  text: string;
  format: "html" | "markdown";
  by?: string;
  at?: string;
  /** When it was edited, where that was not when it was written. */
  edited?: string;
  deleted: boolean;
  /** `like 2`. */
  reactions: { type: string; count: number }[];
}

/** The discussion of a work item from its stored comments, the oldest first. A comment that was stored again counts as it was last. */
export function commentsOf(records: Document[]): Comment[] {
  const newest = new Map<string, Document>();
  for (const record of records) {
    const id = textAt(record, "/id") ?? "";
    const version = (one: Document | undefined) => Number(one?.["version"] ?? 0);
    if (version(record) >= version(newest.get(id))) newest.set(id, record);
  }
  return [...newest.values()].map(comment).toSorted((one, other) => (one.at ?? "").localeCompare(other.at ?? "") || Number(one.id) - Number(other.id));
}

function comment(record: Document): Comment {
  const at = textAt(record, "/createdDate");
  const edited = textAt(record, "/modifiedDate");
  const by = personOf(record["createdBy"])?.name;
  return {
    id: textAt(record, "/id") ?? "",
    text: textAt(record, "/text") ?? "",
    format: record["format"] === "markdown" ? "markdown" : "html",
    deleted: record["isDeleted"] === true,
    reactions: listAt(record, "/reactions").map((one) => ({ type: textAt(one, "/type") ?? "", count: Number(one["count"] ?? 0) })),
    ...(by && { by }),
    ...(at && { at }),
    ...(edited && edited !== at && { edited }),
  };
}
