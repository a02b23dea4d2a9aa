/** Everything that somebody may be allowed to do, in the order in which it is listed. `own` is everybody's and not listed. */
export const PERMISSIONS = [
  "read-status",
  "read-content",
  "run-backups",
  "manage-connectors",
  "manage-policies",
  "restore",
  "manage-repositories",
  "approve",
  "manage-people",
  "read-audit",
  "manage-server",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ["viewer", "operator", "restorer", "auditor", "admin"] as const;
type Role = (typeof ROLES)[number];

/** What each role allows, as the server has it; roles add up. */
const ALLOWED: Record<Role, readonly Permission[]> = {
  viewer: ["read-status"],
  operator: ["read-status", "run-backups", "manage-connectors", "manage-policies"],
  restorer: ["read-status", "read-content", "restore"],
  auditor: ["read-status", "read-audit"],
  admin: PERMISSIONS,
};

/** What somebody with these roles may do. Roles that this console does not know add nothing that it could promise. */
export function allowed(roles: readonly string[]): Permission[] {
  const all = new Set(ROLES.filter((role) => roles.includes(role)).flatMap((role) => ALLOWED[role]));
  return PERMISSIONS.filter((permission) => all.has(permission));
}

/** Roles whose permissions another one of the same account has already. */
export function superfluous(roles: readonly string[]): Role[] {
  return ROLES.filter((role) => {
    const others = allowed(roles.filter((other) => other !== role));
    return roles.includes(role) && roles.length > 1 && ALLOWED[role].every((permission) => others.includes(permission));
  });
}
