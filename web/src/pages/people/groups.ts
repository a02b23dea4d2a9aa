import { ROLES } from "./roles";

export type Roles = Record<string, string[]>;

/** `GROUP = role, role`, a line each. */
export function write(roles: Roles): string {
  return Object.entries(roles)
    .map(([group, of]) => `${group} = ${of.join(", ")}`)
    .join("\n");
}

/** The groups with their roles, or the first line that is not right. The last sign decides: names of groups may have others in them. */
export function read(text: string): { roles: Roles } | { line: number } {
  const roles = new Map<string, string[]>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = line.lastIndexOf("=");
    const group = line.slice(0, Math.max(0, at)).trim();
    const named = line
      .slice(at + 1)
      .split(",")
      .map((role) => role.trim().toLowerCase())
      .filter((role) => role !== "");
    const known = named.length > 0 && named.every((role) => ROLES.some((one) => one === role));
    if (group === "" || !known || roles.has(group)) return { line: index + 1 };
    roles.set(group, [...new Set(named)]);
  }
  return { roles: Object.fromEntries(roles) };
}

/** What is separated by blanks, commas or lines. */
export function list(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((word) => word !== ""))];
}
