import type { Schemas } from "../../api/client";
import type { Tone } from "../../components/StatusBadge";
import { pageOf } from "../browse/source";

type Alarm = Schemas["AlarmView"];

const LEVELS = ["critical", "warning", "notice"];

export const TONE: Record<string, Tone> = { critical: "bad", warning: "warning", notice: "waiting" };

/** The worst first, and of equals the oldest. */
export function sorted(alarms: Alarm[]): Alarm[] {
  const place = ({ level }: Alarm) => (LEVELS.includes(level) ? LEVELS.indexOf(level) : LEVELS.length);
  return alarms.toSorted((one, other) => place(one) - place(other) || one.raised.localeCompare(other.raised));
}

interface Place {
  to: string;
  params: Record<string, string>;
  search?: Record<string, string>;
}

/** Where a person can do something about it. */
export function placeOf({ kind, subject, connector }: Pick<Alarm, "kind" | "subject" | "connector">): Place | null {
  switch (kind) {
    case "backup-overdue":
    case "global-token":
      return { to: "/connectors/$name", params: { name: connector ?? subject } };
    case "sign-in-needed":
      return { to: "/connectors/$name/sign-in", params: { name: connector ?? subject } };
    case "unprotected":
      return { to: "/policies", params: {} };
    case "credential-expiring":
      return { to: "/vault/$name", params: { name: subject } };
    case "storage-filling":
    case "storage-silent":
    case "verification-overdue":
    case "maintenance-overdue":
      return { to: "/repositories/$name", params: { name: subject } };
    case "damage-found":
      return damaged(subject);
    default:
      return null;
  }
}

/** Damage is in a repository, or was found in the snapshots of a source: its service and address, `azure-devops/https://dev.azure.com/contoso`. */
function damaged(subject: string): Place {
  const slash = subject.indexOf("/");
  if (slash < 0) return { to: "/repositories/$name", params: { name: subject } };
  const address = subject.slice(slash + 1);
  return pageOf({ service: subject.slice(0, slash), source: address.slice(address.lastIndexOf("/") + 1), address });
}

/** The settings as the form holds them. */
export interface Objectives {
  backup: string;
  verify: string;
  prune: string;
  storage: string;
  own: Record<string, string>;
}

/** What the server takes where nothing is said. */
const USUAL_PRUNE = 35;

export function objectives(settings: Schemas["AlarmSettingsBody"]): Objectives {
  return {
    backup: String(settings.backup_hours),
    verify: String(settings.verify_days),
    prune: String(settings.prune_days ?? USUAL_PRUNE),
    storage: String(settings.storage_percent),
    own: Object.fromEntries(Object.entries(settings.connectors ?? {}).map(([name, hours]) => [name, String(hours)])),
  };
}

/** What is typed as it is sent: what is no number is 0, which the server refuses at its field. */
export function settingsOf({ backup, verify, prune, storage, own }: Objectives): Schemas["AlarmSettingsBody"] {
  const number = (text: string) => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : 0);
  const others = Object.entries(own).flatMap(([name, text]) => (text.trim() === "" ? [] : [[name, number(text)] as const]));
  return {
    backup_hours: number(backup),
    verify_days: number(verify),
    prune_days: number(prune),
    storage_percent: number(storage),
    connectors: Object.fromEntries(others),
  };
}

/** The words after `keepward` that change the settings alike. */
export function cli(body: Schemas["AlarmSettingsBody"], before: Schemas["AlarmSettingsBody"]): string[] {
  const gone = Object.keys(before.connectors ?? {}).filter((name) => !(name in (body.connectors ?? {})));
  return [
    ...["alarm", "settings", "--backup-hours", String(body.backup_hours), "--verify-days", String(body.verify_days)],
    ...(body.prune_days === undefined ? [] : ["--prune-days", String(body.prune_days)]),
    ...["--storage-percent", String(body.storage_percent)],
    ...Object.entries(body.connectors ?? {}).flatMap(([name, hours]) => ["--connector", `${name}=${hours}`]),
    ...gone.flatMap((name) => ["--connector", `${name}=`]),
  ];
}
