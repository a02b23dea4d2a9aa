import { organizationIn, suggestName } from "./address";
import type { Begin, WizardView } from "./data";
import { NO_IDENTITY } from "./identity";
import type { Pick } from "./machine";
import { isPerson, OWN_APP, type Proof, proofBody } from "./proof";
import type { Kind } from "./types";
import type { Given } from "./way";

/** What a person fills in on the first page of the wizard. */
export interface ConnectionForm extends Proof {
  name: string;
  place: string;
  url: string;
  /** Let Microsoft ask which account. */
  different?: boolean;
}

/**
 * The form as it opens: empty, or as the wizard at the server says that goes on. `names` are those of other connectors, `chosen` is the name
 * that was given before the page was loaded anew.
 */
export function formOf(
  kind: Kind,
  resumed: WizardView | undefined,
  given: Given,
  names: readonly string[],
  chosen?: string,
): ConnectionForm {
  const place = resumed?.organization ?? given.organization;
  const organization = organizationIn(kind.place, place);
  const kept = resumed && resumed.method !== "stored" ? resumed.method : undefined;
  return {
    name: (resumed && chosen) || (organization ? suggestName(organization, names) : ""),
    place,
    url: given.url,
    identity: { ...NO_IDENTITY, method: kept ?? kind.methods?.[0] ?? "user" },
    flow: kind.service === "microsoft-365" ? "device-code" : "code",
    app: { ...OWN_APP, profile: given.profile },
  };
}

/** Another place: the name follows its organization until somebody chooses another. */
export function placed(kind: Kind, form: ConnectionForm, place: string, names: readonly string[]): Partial<ConnectionForm> {
  const follow = (text: string) => {
    const organization = organizationIn(kind.place, text);
    return organization === undefined ? "" : suggestName(organization, names);
  };
  const own = form.name !== "" && form.name !== follow(form.place);
  return { place, ...(!own && { name: follow(place) }) };
}

/** What is connected unless somebody picks something else: what was named, or the only one that was found. */
export function firstPick(kind: Kind, form: ConnectionForm, wizard: WizardView, names: readonly string[]): Pick | undefined {
  const named = kind.place === "part" ? form.place.trim() : (organizationIn(kind.place, form.place) ?? wizard.organization ?? undefined);
  const [only, ...rest] = wizard.organizations;
  const organization = named ?? (rest.length === 0 ? only?.organization : undefined);
  if (!organization) return undefined;
  const plain = organizationIn(kind.place, form.place) ?? organization;
  return { organization, name: form.name || suggestName(plain, names) };
}

/** The first request of the wizard, as the form stands. */
export function requestOf(kind: Kind, form: ConnectionForm): Begin {
  const place = form.place.trim();
  const person = isPerson(form);
  return {
    service: kind.service,
    // A tenant is the account's own: what was typed may still change while somebody signs in.
    ...(place !== "" && !(kind.place === "tenant" && person) && { organization: place }),
    ...(kind.place === "collection" && { url: form.url.trim() }),
    ...(person && form.different && { choose_account: true }),
    ...proofBody(form),
  };
}
