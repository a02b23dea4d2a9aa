import { isName } from "../connect/address";
import { ROLES } from "./roles";

/** What groups have: roles, or the connectors that they reach. */
export type Groups = Record<string, string[]>;

/** `GROUP = role, role`, a line each. */
export function write(groups: Groups): string {
  return Object.entries(groups)
    .map(([group, of]) => `${group} = ${of.join(", ")}`)
    .join("\n");
}

/** A role, whatever its capitals. */
export function asRole(word: string): string | undefined {
  return ROLES.find((role) => role === word.toLowerCase());
}

/** The name of a connector, or all of them. */
export function asReach(word: string): string | undefined {
  return word === "*" || isName(word) ? word : undefined;
}

/** The groups with what they have, or the first line that is not right. The last sign decides: names of groups may have others in them. */
export function read(text: string, as: (word: string) => string | undefined): { groups: Groups } | { line: number } {
  const groups = new Map<string, string[]>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = line.lastIndexOf("=");
    const group = line.slice(0, Math.max(0, at)).trim();
    const words = line
      .slice(at + 1)
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
    const known = words.flatMap((word) => as(word) ?? []);
    if (group === "" || words.length === 0 || known.length < words.length || groups.has(group)) return { line: index + 1 };
    groups.set(group, [...new Set(known)]);
  }
  return { groups: Object.fromEntries(groups) };
}

/** What is separated by blanks, commas or lines. */
export function list(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((word) => word !== ""))];
}
