/** Any JSON document of a service; members are read only beside what is known of it. */
export type Document = Record<string, unknown>;

interface Records {
  items: Document[];
  /** Lines that are no JSON objects, by number from 1. */
  damaged: number[];
}

export function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file with one JSON object a line. A damaged line hides no other. */
export function readRecords(text: string): Records {
  const records: Records = { items: [], damaged: [] };
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    try {
      const value: unknown = JSON.parse(line);
      if (isDocument(value)) records.items.push(value);
      else records.damaged.push(index + 1);
    } catch {
      records.damaged.push(index + 1);
    }
  });
  return records;
}

/** What is at a JSON pointer. */
export function at(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isDocument(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

export function textAt(document: unknown, pointer: string): string | undefined {
  const value = at(document, pointer);
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}

export function listAt(document: unknown, pointer: string): Document[] {
  const value = at(document, pointer);
  return Array.isArray(value) ? value.filter(isDocument) : [];
}

/** A person as the services write one: `{displayName, uniqueName}`. */
export function personOf(value: unknown): { name: string; account?: string } | undefined {
  if (typeof value === "string") return value ? { name: value } : undefined;
  if (!isDocument(value)) return undefined;
  const account = textAt(value, "/uniqueName") ?? textAt(value, "/userPrincipalName") ?? textAt(value, "/mail");
  const name = textAt(value, "/displayName") ?? account;
  if (name === undefined) return undefined;
  return account === undefined || account === name ? { name } : { name, account };
}

/** A value of a document in words: people and other named things by name, lists with commas, anything else as JSON. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const person = personOf(value);
  if (person) return person.account ? `${person.name} <${person.account}>` : person.name;
  if (Array.isArray(value)) {
    const words = value.map((one) => (typeof one === "object" ? (personOf(one)?.name ?? textAt(one, "/name")) : String(one)));
    if (words.every((one) => one !== undefined)) return words.join(", ");
  }
  return JSON.stringify(value);
}
