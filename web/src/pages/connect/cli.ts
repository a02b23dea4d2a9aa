import { bodyOf, isKept, type Identity } from "./identity";
import type { AppPick, Flow } from "./proof";
import type { Settings } from "./settings";
import { bodyOfSync } from "./sync";

interface Added {
  service: string;
  organization: string;
  name: string;
  url?: string;
  identity: Identity;
  /** Where a person signs in. */
  flow?: Flow;
  app?: AppPick;
  settings: Settings;
}

/** The same on the command line. Secrets are never words of a command: it reads them from files. */
export function addCli({ service, organization, name, url = "", identity, flow, app, settings }: Added): string[] {
  const words = ["connector", "add", service, organization];
  const option = (flag: string, value: string | undefined) => {
    if (value !== undefined && value !== "") words.push(flag, value);
  };
  option("--name", name);
  option("--url", url);
  words.push(...proofOf(identity, flow));
  const registered = identity.method === "user" ? app : undefined;
  option("--app-profile", registered?.profile);
  option("--client-id", registered?.clientId);
  option("--tenant", registered?.tenant);
  const sync = bodyOfSync(settings.sync);
  option("--worker", settings.worker);
  option("--restore-credential", settings.restore);
  option("--sync-new", String(settings.sync.addNew));
  option("--sync-hours", sync?.hours?.join(","));
  option("--time-zone", sync?.hours ? (sync.time_zone ?? undefined) : undefined);
  option("--sync-interval", sync?.interval_minutes?.toString());
  return words;
}

/** How it proves itself, in words of the command line. */
export function proofOf(identity: Identity, flow?: Flow): string[] {
  const { method, stored, keepAs } = identity;
  if (method === "user") return [flow === "device-code" ? "--device-code" : "--browser"];
  if (isKept(method) && stored !== "") return ["--credential", stored];
  const body = bodyOf(identity);
  const machine = identity.managed === "system" ? [] : [identity.managed];
  const app = [...(body.client_id ? ["--client-id", body.client_id] : []), ...(body.tenant ? ["--tenant", body.tenant] : [])];
  const kept = [...(body.expires ? ["--expires", body.expires] : []), ...(keepAs ? ["--credential-name", keepAs] : [])];
  switch (method) {
    case "pat":
      return ["--pat-file", "pat.txt", ...(body.user ? ["--user", body.user] : []), ...kept];
    case "client-secret":
      return ["--client-secret-file", "secret.txt", ...app, ...kept];
    case "certificate":
      return ["--certificate", "app.pem", ...app, ...kept];
    case "workload-identity":
      return ["--workload-identity", body.token_file ?? "", ...app, ...kept];
    case "managed-identity":
      return [app.length > 0 ? "--federated" : "--managed-identity", ...machine, ...app];
    default:
      return ["--federated", ...machine, ...app];
  }
}

/** A request as it may be shown: without its secret. */
export function shownBody<Body extends { identity?: { secret?: unknown } | null }>(body: Body): Body {
  return body.identity?.secret === undefined ? body : { ...body, identity: { ...body.identity, secret: "SECRET" } };
}
