import { type Document, inWords, isDocument } from "./records";
import { fieldName } from "./revisions";

// Members that only tell of the service's own addresses.
const PLUMBING = /^(?:_links|url|@odata\..*|descriptor|subjectDescriptor)$/;
const DEEP = 3;

/** A document as names and values, members of members with their way. */
export function rowsOf(document: Document, depth = 0, above = ""): { key: string; name: string; value: string }[] {
  return Object.entries(document).flatMap(([key, value]) => {
    if (PLUMBING.test(key) || value === null || value === "" || (Array.isArray(value) && value.length === 0)) return [];
    const path = above ? `${above}/${key}` : key;
    const name = above ? `${fieldName(above.split("/").at(-1) ?? "")}: ${fieldName(key).toLowerCase()}` : fieldName(key);
    if (isDocument(value) && depth < DEEP && !("displayName" in value)) return rowsOf(value, depth + 1, path);
    return [{ key: path, name, value: inWords(value) }];
  });
}
