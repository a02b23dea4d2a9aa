import type { Schemas } from "../../api/client";

type IdentityBody = Schemas["IdentityBody"];

/** What a person fills in about how a connector proves itself; which of it counts depends on the method. */
export interface Identity {
  method: string;
  /** A credential of the Password Manager; empty for a new one. */
  stored: string;
  secret: string;
  user: string;
  clientId: string;
  tenant: string;
  tokenFile: string;
  /** A day, as a date field gives it. */
  expires: string;
  /** `system`, or the client id of a user-assigned identity. */
  managed: string;
  /** What to call a new credential; the connector's own when empty. */
  keepAs: string;
}

export const NO_IDENTITY: Identity = {
  method: "user",
  stored: "",
  secret: "",
  user: "",
  clientId: "",
  tenant: "",
  tokenFile: "",
  expires: "",
  managed: "system",
  keepAs: "",
};

/** Methods whose secret is kept, so that a kept one can be chosen. */
const KEPT = ["pat", "client-secret", "certificate", "workload-identity"];
const WITH_SECRET = ["pat", "client-secret", "certificate"];
const OF_MACHINE = ["managed-identity", "federated-identity"];

export function isKept(method: string): boolean {
  return KEPT.includes(method);
}

export function isOfMachine(method: string): boolean {
  return OF_MACHINE.includes(method);
}

/** The fields that a method has beside the choice of a kept credential. */
export function fieldsOf(method: string): (keyof Identity)[] {
  switch (method) {
    case "pat":
      return ["secret", "expires"];
    case "client-secret":
    case "certificate":
      return ["clientId", "tenant", "secret", "expires"];
    case "workload-identity":
      return ["clientId", "tenant", "tokenFile"];
    case "managed-identity":
    case "federated-identity":
      return ["managed", "clientId", "tenant"];
    default:
      return [];
  }
}

type Wrong = "missing" | "both" | "label" | "address";
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\-_.@ ]{0,62}[\p{L}\p{N}\-_.@])?$/u;

/** What is still missing or wrong, by field. */
export function faultsOf(identity: Identity): Partial<Record<keyof Identity, Wrong>> {
  const { method } = identity;
  if (method === "user" || (isKept(method) && identity.stored !== "")) return {};
  const faults: Partial<Record<keyof Identity, Wrong>> = {};
  const given = (field: keyof Identity) => identity[field].trim() !== "";
  const optional = ["expires", "user"];
  if (method === "managed-identity") optional.push("clientId", "tenant");
  for (const field of fieldsOf(method)) {
    if (!optional.includes(field) && !given(field)) faults[field] = "missing";
  }
  // SRE-23: an app of another tenant is named by both, or by neither.
  if (method === "managed-identity" && given("clientId") !== given("tenant")) {
    faults[given("clientId") ? "tenant" : "clientId"] = "both";
  }
  // XA-09: the server may write it into its log.
  if (method === "pat" && identity.user.includes("@")) faults.user = "address";
  if (identity.keepAs !== "" && !LABEL.test(identity.keepAs)) faults.keepAs = "label";
  return faults;
}

/** A new way to sign in, as the server takes it. */
export function bodyOf(identity: Identity): IdentityBody {
  const { method } = identity;
  const text = (field: keyof Identity) => identity[field].trim();
  const has = (field: keyof Identity) => fieldsOf(method).includes(field) && text(field) !== "";
  return {
    method,
    ...(WITH_SECRET.includes(method) && { secret: text("secret") }),
    ...(method === "pat" && text("user") !== "" && { user: text("user") }),
    ...(has("clientId") && { client_id: text("clientId") }),
    ...(has("tenant") && { tenant: text("tenant") }),
    ...(has("tokenFile") && { token_file: text("tokenFile") }),
    ...(has("expires") && { expires: `${text("expires")}T00:00:00Z` }),
    ...(isOfMachine(method) && {
      managed_identity:
        identity.managed === "system" ? { assigned: "system" as const } : { assigned: "user" as const, client_id: identity.managed },
    }),
  };
}
