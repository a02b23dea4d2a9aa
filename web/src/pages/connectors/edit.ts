import type { Schemas } from "../../api/client";
import { bodyOfSync, syncOf, type Sync } from "../connect/sync";

type Connector = Schemas["ConnectorView"];
type Edit = Schemas["EditConnector"];

/** The current values of a connector, as its form has them. */
export interface Draft {
  name: string;
  organization: string;
  url: string;
  credential: string;
  restore: string;
  worker: string;
  sync: Sync;
}

export function draftOf(connector: Connector): Draft {
  return {
    name: connector.name,
    organization: connector.organization,
    url: connector.url ?? "",
    credential: connector.credential,
    restore: connector.restore_credential ?? "",
    worker: connector.worker ?? "",
    sync: syncOf(connector.sync),
  };
}

/** Only what was changed: what a form repeats would be checked for nothing. An emptied field takes the value away. */
export function editOf(connector: Connector, draft: Draft): Edit {
  const before = draftOf(connector);
  const sync = bodyOfSync(draft.sync);
  const changed = (key: "name" | "organization" | "url" | "credential" | "restore" | "worker") => draft[key].trim() !== before[key];
  return {
    ...(changed("name") && { name: draft.name.trim() }),
    ...(changed("organization") && { organization: draft.organization.trim() }),
    ...(changed("url") && { url: draft.url.trim() || null }),
    ...(changed("credential") && { credential: draft.credential }),
    ...(changed("restore") && { restore_credential: draft.restore || null }),
    ...(changed("worker") && { worker: draft.worker || null }),
    ...(sync && JSON.stringify(sync) !== JSON.stringify(bodyOfSync(before.sync)) && { sync }),
  };
}

/** The same on the command line. */
export function cliOf(name: string, edit: Edit): string[] {
  const words = ["connector", "edit", name];
  const option = (flag: string, value: string | null | undefined) => {
    if (value !== undefined) words.push(flag, value ?? "");
  };
  option("--name", edit.name);
  option("--organization", edit.organization);
  option("--url", edit.url);
  option("--credential", edit.credential);
  option("--restore-credential", edit.restore_credential);
  option("--worker", edit.worker);
  if (edit.sync) {
    option("--sync-new", String(edit.sync.add_new));
    if (edit.sync.hours) {
      option("--sync-hours", edit.sync.hours.join(","));
      option("--time-zone", edit.sync.time_zone ?? "UTC");
    } else {
      option("--sync-interval", String(edit.sync.interval_minutes));
    }
  }
  return words;
}
