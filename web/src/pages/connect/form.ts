import type { Begin } from "./data";
import { bodyOf, isKept, type Identity } from "./identity";
import type { AppPick, Flow } from "./MethodFields";
import { parsePlace } from "./PlaceField";
import type { Kind } from "./types";

/** What a person fills in on the first page of the wizard. */
export interface ConnectionForm {
  name: string;
  place: string;
  url: string;
  identity: Identity;
  flow: Flow;
  app: AppPick;
  /** Let Microsoft ask which account. */
  different?: boolean;
}

/** The organization that the form names; nothing where it names none, or none that fits. */
export function organizationOf(kind: Kind, form: ConnectionForm): string | undefined {
  const parsed = parsePlace(kind.place, form.place);
  return "ok" in parsed ? parsed.ok.organization : undefined;
}

/** The first request of the wizard, as the form stands. */
export function requestOf(kind: Kind, form: ConnectionForm): Begin {
  const { identity, app } = form;
  const place = form.place.trim();
  const common = {
    service: kind.service,
    // A tenant is the account's own: what was typed may still change while somebody signs in.
    ...(place !== "" && !(kind.place === "tenant" && identity.method === "user") && { organization: place }),
    ...(kind.place === "collection" && { url: form.url.trim() }),
  };
  if (identity.method === "user") {
    return {
      ...common,
      method: "user",
      flow: form.flow,
      ...(form.different && { choose_account: true }),
      ...(app.profile !== "" && { app_profile: app.profile }),
      ...(app.clientId.trim() !== "" && { client_id: app.clientId.trim() }),
      ...(app.tenant.trim() !== "" && { tenant: app.tenant.trim() }),
    };
  }
  if (isKept(identity.method) && identity.stored !== "") {
    return { ...common, method: "stored", credential: identity.stored };
  }
  return { ...common, method: identity.method, identity: bodyOf(identity) };
}
