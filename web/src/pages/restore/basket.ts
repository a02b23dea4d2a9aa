/** A snapshot as the basket names it: what, from when. */
export interface Origin {
  id: string;
  service: string;
  source: string;
  address?: string | undefined;
  time: string;
}

/** Something to restore. An item's folder in the snapshot is what an archive names. */
export type Entry =
  | { type: "everything" }
  | { type: "kind"; kind: string }
  | { type: "project"; project: string; name: string }
  | { type: "item"; kind: string; item: string; name: string; path: string };

export interface Basket {
  origin: Origin;
  entries: Entry[];
}

/** Baskets by the id of their snapshot: a plan restores from one. */
export type Baskets = Record<string, Basket>;

/** What the API takes as the selection of a plan. Kinds and projects narrow each other; items and paths are added to them. */
export interface Select {
  everything?: true;
  /** Of what is selected, only what the target lacks. */
  missing?: true;
  kinds?: string[];
  projects?: string[];
  items?: { kind: string; item: string }[];
  paths?: string[];
}

/** Folders at the top of a snapshot, by the kind that lies in them. */
const FOLDERS: Record<string, string> = {
  project: "projects",
  "git-repository": "git",
  wiki: "wikis",
  "work-item": "work-items",
  user: "users",
  group: "groups",
  site: "sites",
};

export function entryKey(entry: Entry): string {
  switch (entry.type) {
    case "everything":
      return "everything";
    case "kind":
      return `kind/${entry.kind}`;
    case "project":
      return `project/${entry.project}`;
    case "item":
      return `item/${entry.kind}/${entry.item}`;
  }
}

/** With these in the basket of their snapshot; what is there already stays once. */
export function withEntries(baskets: Baskets, origin: Origin, entries: Entry[]): Baskets {
  const before = baskets[origin.id]?.entries ?? [];
  const known = new Map([...before, ...entries].map((entry) => [entryKey(entry), entry]));
  if (known.size === 0) return baskets;
  return { ...baskets, [origin.id]: { origin, entries: [...known.values()] } };
}

/** Without these; a basket that gets empty is gone. */
export function withoutEntries(baskets: Baskets, snapshot: string, keys: ReadonlySet<string>): Baskets {
  const { [snapshot]: basket, ...others } = baskets;
  const left = basket?.entries.filter((entry) => !keys.has(entryKey(entry))) ?? [];
  return basket && left.length > 0 ? { ...others, [snapshot]: { ...basket, entries: left } } : others;
}

export function withoutBasket(baskets: Baskets, snapshot: string): Baskets {
  const { [snapshot]: _, ...others } = baskets;
  return others;
}

export function countOf(baskets: Baskets): number {
  return Object.values(baskets).reduce((sum, { entries }) => sum + entries.length, 0);
}

/**
 * The selection that entries stand for, each added to the others. `undefined` when it is nothing, which restores nothing; `mixed` when one
 * plan cannot hold it: kinds that lie in projects beside whole projects would be narrowed to them.
 */
export function selectOf(entries: Entry[], missing = false): Select | "mixed" | undefined {
  if (entries.length === 0) return undefined;
  const only = missing ? ({ missing: true } as const) : {};
  if (entries.some(({ type }) => type === "everything")) return missing ? only : { everything: true };
  const kinds = entries.flatMap((entry) => (entry.type === "kind" ? [entry.kind] : []));
  const projects = entries.flatMap((entry) => (entry.type === "project" ? [entry.project] : []));
  const items = entries.flatMap((entry) => (entry.type === "item" ? [{ kind: entry.kind, item: entry.item }] : []));
  const beside = kinds.length > 0 && projects.length > 0;
  const paths = beside ? kinds.map((kind) => FOLDERS[kind]) : [];
  if (paths.includes(undefined)) return "mixed";
  return {
    ...only,
    ...(kinds.length > 0 && !beside && { kinds }),
    ...(projects.length > 0 && { projects }),
    ...(items.length > 0 && { items }),
    ...(beside && { paths: paths as string[] }),
  };
}

/** What the API takes as the selection of an archive. */
export interface Archived {
  path?: string[];
  kind?: string[];
  project?: string[];
  /** With what belongs to the folders elsewhere in the snapshot, each at its place there. */
  whole?: true;
}

/** The archive of all that the entries stand for. What lies in one folder is there by its own name; where more is needed, at its place in the snapshot. */
export function archiveOf(entries: Entry[]): Archived {
  if (entries.some(({ type }) => type === "everything")) return { path: [""] };
  const path = entries.flatMap((entry) => (entry.type === "item" ? [entry.path] : []));
  const kind = entries.flatMap((entry) => (entry.type === "kind" ? [entry.kind] : []));
  const project = entries.flatMap((entry) => (entry.type === "project" ? [entry.project] : []));
  const apart = entries.some((entry) => entry.type === "item" && entry.kind === "wiki");
  return {
    ...(path.length > 0 && { path }),
    ...(kind.length > 0 && { kind }),
    ...(project.length > 0 && { project }),
    ...(apart && { whole: true }),
  };
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

export function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Record<string, unknown>;
  switch (entry["type"]) {
    case "everything":
      return true;
    case "kind":
      return isText(entry["kind"]);
    case "project":
      return isText(entry["project"]) && isText(entry["name"]);
    case "item":
      return isText(entry["kind"]) && isText(entry["item"]) && typeof entry["name"] === "string" && isText(entry["path"]);
    default:
      return false;
  }
}

function isOrigin(value: unknown): value is Origin {
  if (typeof value !== "object" || value === null) return false;
  const origin = value as Record<string, unknown>;
  return ["id", "service", "source", "time"].every((key) => isText(origin[key]));
}

/** What the browser kept; whatever is not understood is left out, never guessed. */
export function parseBaskets(text: string | null): Baskets {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const baskets: Baskets = {};
  for (const value of Object.values((kept ?? {}) as Record<string, unknown>)) {
    const { origin, entries } = (value ?? {}) as { origin?: unknown; entries?: unknown };
    if (!isOrigin(origin) || !Array.isArray(entries)) continue;
    const understood = entries.filter(isEntry);
    if (understood.length > 0) baskets[origin.id] = { origin, entries: understood };
  }
  return baskets;
}
