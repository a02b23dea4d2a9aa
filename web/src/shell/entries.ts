import {
  AlertRegular,
  AppsListRegular,
  ArrowSyncRegular,
  BoxRegular,
  CalendarClockRegular,
  CheckmarkCircleRegular,
  ClipboardTaskRegular,
  ErrorCircleRegular,
  type FluentIcon,
  HistoryRegular,
  HomeRegular,
  KeyRegular,
  LockClosedRegular,
  MailAlertRegular,
  PeopleRegular,
  PlugConnectedRegular,
  SearchRegular,
  ServerRegular,
  SettingsRegular,
} from "@fluentui/react-icons";

interface Entry {
  /** Its text is `navigation.KEY`. */
  key: string;
  to: string;
  icon: FluentIcon;
  /** Without this permission it is left out. */
  permission: string;
}

/** The navigation in its order. */
export const NAVIGATION: { key: string; entries: Entry[] }[] = [
  {
    key: "protect",
    entries: [
      { key: "overview", to: "/", icon: HomeRegular, permission: "read-status" },
      { key: "connectors", to: "/connectors", icon: PlugConnectedRegular, permission: "read-status" },
      { key: "policies", to: "/policies", icon: CalendarClockRegular, permission: "read-status" },
      { key: "runs", to: "/runs", icon: ArrowSyncRegular, permission: "read-status" },
    ],
  },
  {
    key: "recover",
    entries: [
      { key: "sources", to: "/snapshots", icon: HistoryRegular, permission: "read-status" },
      { key: "search", to: "/search", icon: SearchRegular, permission: "read-status" },
      { key: "restore", to: "/restore", icon: ClipboardTaskRegular, permission: "restore" },
    ],
  },
  {
    key: "operate",
    entries: [
      { key: "alarms", to: "/alarms", icon: AlertRegular, permission: "read-status" },
      { key: "issues", to: "/issues", icon: ErrorCircleRegular, permission: "read-status" },
      { key: "repositories", to: "/repositories", icon: BoxRegular, permission: "read-status" },
      { key: "workers", to: "/workers", icon: ServerRegular, permission: "read-status" },
      { key: "approvals", to: "/approvals", icon: CheckmarkCircleRegular, permission: "read-status" },
    ],
  },
  {
    key: "administer",
    entries: [
      { key: "vault", to: "/vault", icon: LockClosedRegular, permission: "manage-connectors" },
      { key: "apps", to: "/apps", icon: AppsListRegular, permission: "manage-connectors" },
      { key: "people", to: "/people", icon: PeopleRegular, permission: "manage-people" },
      { key: "tokens", to: "/tokens", icon: KeyRegular, permission: "own" },
      { key: "notifications", to: "/notifications", icon: MailAlertRegular, permission: "manage-policies" },
      { key: "audit", to: "/audit", icon: ClipboardTaskRegular, permission: "read-audit" },
      { key: "settings", to: "/settings", icon: SettingsRegular, permission: "manage-server" },
    ],
  },
];
