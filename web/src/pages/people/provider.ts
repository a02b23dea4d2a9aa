import type { Schemas } from "../../api/client";
import { asReach, asRole, list, read, write } from "./groups";

export type Provider = Schemas["Named"];

/** What a person fills in, as it is typed. */
export interface Draft {
  name: string;
  title: string;
  issuer: string;
  client_id: string;
  secret: string;
  /** `GROUP = role, role`, a line each. */
  groups: string;
  /** `GROUP = connector, connector`, a line each. */
  reach: string;
  groups_claim: string;
  /** The role of those who are in none of the groups. */
  usual: string;
  scopes: string;
  tenants: string;
  domains: string;
}

export function draftOf(provider: Provider | undefined): Draft {
  return {
    name: provider?.name ?? "",
    title: provider?.title ?? "",
    issuer: provider?.issuer ?? "",
    client_id: provider?.client_id ?? "",
    secret: "",
    groups: write(provider?.roles ?? {}),
    reach: write(provider?.connectors ?? {}),
    groups_claim: provider?.groups_claim ?? "groups",
    usual: provider?.default_roles?.[0] ?? "",
    scopes: (provider?.scopes ?? ["profile", "email"]).join(" "),
    tenants: (provider?.tenants ?? []).join(" "),
    domains: (provider?.domains ?? []).join(" "),
  };
}

/** What is saved. Of the roles of others the form shows one; several that were set elsewhere stay as long as it is not touched. */
export function bodyOf(draft: Draft, provider: Provider | undefined): Schemas["Provider"] {
  const [roles, connectors] = [read(draft.groups, asRole), read(draft.reach, asReach)];
  const kept = provider?.default_roles ?? [];
  return {
    title: draft.title,
    issuer: draft.issuer,
    client_id: draft.client_id,
    groups_claim: draft.groups_claim,
    roles: "groups" in roles ? roles.groups : {},
    connectors: "groups" in connectors ? connectors.groups : {},
    default_roles: draft.usual === (kept[0] ?? "") ? kept : draft.usual === "" ? [] : [draft.usual],
    scopes: list(draft.scopes),
    tenants: list(draft.tenants),
    domains: list(draft.domains),
  };
}

/** The same on the command line; the secret is in a file there. */
export function cliOf(name: string, body: Schemas["Provider"], secret: boolean): string[] {
  const each = (flag: string, values: readonly string[] = []) => values.flatMap((value) => [flag, value]);
  const groups = (of: Record<string, readonly string[]> = {}) => Object.entries(of).flatMap(([group, values]) => values.map((value) => `${group}=${value}`));
  const asked = ["--title", body.title || "TITLE", "--issuer", body.issuer || "URL", "--client-id", body.client_id || "ID"];
  return [
    ...["identity-provider", "set", name || "NAME", ...asked, ...(secret ? ["--client-secret-file", "FILE"] : [])],
    ...each("--role", groups(body.roles)),
    ...each("--reach", groups(body.connectors)),
    ...each("--default-role", body.default_roles),
    ...each("--tenant", body.tenants),
    ...each("--domain", body.domains),
    ...(body.groups_claim ? ["--groups-claim", body.groups_claim] : []),
    // Without the option it has the usual ones.
    ...each("--scope", body.scopes?.length === 0 ? [""] : body.scopes),
  ];
}

/** Whether it can be saved: nothing that is needed is missing, and no other provider is replaced, as saving goes by name. */
export function complete(draft: Draft, provider: Provider | undefined, names: string[]): boolean {
  const filled = [draft.name, draft.title, draft.issuer, draft.client_id].every((text) => text.trim() !== "");
  const right = "groups" in read(draft.groups, asRole) && "groups" in read(draft.reach, asReach);
  return filled && right && !taken(draft, provider, names);
}

export function taken({ name }: Draft, provider: Provider | undefined, names: string[]): boolean {
  return provider === undefined && names.includes(name.trim());
}
