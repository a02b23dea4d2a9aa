import type { Archived, Select } from "./basket";

/** The words after `keepward` that plan the same restore; `undefined` for what one command cannot say: items of several kinds at once. */
export function cliOf(snapshot: string, connector: string, conflict: string, select: Select): string[] | undefined {
  const { kinds = [], projects = [], items = [], paths = [] } = select;
  const ofItems = new Set(items.map(({ kind }) => kind));
  const ways = [kinds.length + projects.length > 0, items.length > 0, paths.length > 0].filter(Boolean).length;
  if (ofItems.size > 1 || paths.length > 1 || ways > 1) return undefined;
  const words = ["restore", "plan", snapshot.slice(0, 8), "--into", connector];
  if (select.everything) words.push("--everything");
  if (select.missing) words.push("--missing");
  for (const kind of [...kinds, ...ofItems]) words.push("--kind", kind);
  for (const project of projects) words.push("--project", project);
  for (const { item } of items) words.push("--id", item);
  for (const path of paths) words.push("--under", path);
  if (conflict !== "skip") words.push("--conflict", conflict);
  return words;
}

/** The words after `keepward` that write the same archive. */
export function archiveCli(snapshot: string, { path = [], kind = [], project = [], whole }: Archived, file: string): string[] {
  const words = ["export", snapshot.slice(0, 8), ...path.map((one) => one || "/")];
  for (const one of kind) words.push("--kind", one);
  for (const one of project) words.push("--project", one);
  if (whole) words.push("--whole");
  return [...words, "--zip", file];
}
