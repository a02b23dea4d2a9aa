import type { Protected } from "./protected";

/** Every page of the console, on the data of `protect`. */
export function pages({ connector, snapshots }: Protected): { name: string; path: string }[] {
  const snapshot = snapshots.at(-1);
  return [
    { name: "overview", path: "/" },
    { name: "connectors", path: "/connectors" },
    { name: "connector", path: `/connectors/${connector}` },
    { name: "connect", path: "/connect" },
    { name: "policies", path: "/policies" },
    { name: "policy-new", path: `/new/policy?connector=${connector}` },
    { name: "runs", path: "/runs" },
    { name: "issues", path: "/issues" },
    { name: "alarms", path: "/alarms" },
    { name: "snapshots", path: "/snapshots" },
    { name: "snapshot", path: `/snapshots/${snapshot}` },
    { name: "search", path: "/search?q=login" },
    { name: "restore", path: "/restore" },
    { name: "repositories", path: "/repositories" },
    { name: "repository", path: "/repositories/default" },
    { name: "workers", path: "/workers" },
    { name: "vault", path: "/vault" },
    { name: "apps", path: "/apps" },
    { name: "people", path: "/people" },
    { name: "tokens", path: "/tokens" },
    { name: "notifications", path: "/notifications" },
    { name: "approvals", path: "/approvals" },
    { name: "audit", path: "/audit" },
    { name: "settings", path: "/settings" },
    { name: "account", path: "/account" },
  ];
}
