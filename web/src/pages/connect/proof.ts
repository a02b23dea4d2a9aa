import type { Begin } from "./data";
import { bodyOf, faultsOf, isKept, type Identity } from "./identity";

/** Where a person signs in: in a window of the browser, or on any device by a code. */
export type Flow = "code" | "device-code";

/** Through which app registration somebody signs in: a profile's, ours, or one that is named here. */
export interface AppPick {
  profile: string;
  clientId: string;
  tenant: string;
}

export const OWN_APP: AppPick = { profile: "", clientId: "", tenant: "" };

/** As whom a connector signs in: a person, in one of two ways and through an app, or an identity that needs nobody. */
export interface Proof {
  identity: Identity;
  flow: Flow;
  app: AppPick;
}

export function isPerson({ identity }: Pick<Proof, "identity">): boolean {
  return identity.method === "user";
}

export function isWhole({ identity }: Pick<Proof, "identity">): boolean {
  return Object.keys(faultsOf(identity)).length === 0;
}

/** Another method: a credential that was chosen for the one before does not go with it. */
export function withMethod({ identity }: Proof, method: string): Pick<Proof, "identity"> {
  return { identity: { ...identity, method, stored: "" } };
}

/** What a request says of it. */
export function proofBody({ identity, flow, app }: Proof): Pick<Begin, "method" | "flow" | "app_profile" | "client_id" | "tenant" | "credential" | "identity"> {
  const { method, stored } = identity;
  if (method === "user") {
    return {
      method,
      flow,
      ...(app.profile !== "" && { app_profile: app.profile }),
      ...(app.clientId.trim() !== "" && { client_id: app.clientId.trim() }),
      ...(app.tenant.trim() !== "" && { tenant: app.tenant.trim() }),
    };
  }
  return isKept(method) && stored !== "" ? { method: "stored", credential: stored } : { method, identity: bodyOf(identity) };
}
