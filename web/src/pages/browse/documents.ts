import { type Document, isDocument } from "./records";
import { changedFields, type FieldChange, isSame } from "./revisions";

const PLUMBING = new Set(["_links", "url", "rev", "commentVersionRef"]);

/** What differs between two documents: members by name, and those within `fields` as fields of their own. */
export function changedDocument(before: Document, after: Document): FieldChange[] {
  const fields = (document: Document): Document => (isDocument(document["fields"]) ? document["fields"] : {});
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const members = [...names]
    .filter((name) => name !== "fields" && !PLUMBING.has(name) && !isSame(before[name], after[name]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
  return [...changedFields(fields(before), fields(after)), ...members];
}

interface Part {
  name: string;
  size: number;
}

/** Which stored files came, went or have another size. Equal sizes are taken for equal: contents are not read for it. */
export function partsThatDiffer(before: Part[], after: Part[]): { name: string; change: "added" | "removed" | "changed" }[] {
  const [old, now] = [new Map(before.map(({ name, size }) => [name, size])), new Map(after.map(({ name, size }) => [name, size]))];
  return [...new Set([...old.keys(), ...now.keys()])].toSorted().flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === is) return [];
    return [{ name, change: was === undefined ? ("added" as const) : is === undefined ? ("removed" as const) : ("changed" as const) }];
  });
}
