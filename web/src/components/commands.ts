/** What a command is about, as its first word says it, and the page of the console on which the same is done. */
const PAGES: Record<string, string> = {
  alarm: "alarms",
  "app-profile": "apps",
  audit: "audit",
  backup: "runs",
  connector: "connectors",
  credential: "vault",
  export: "sources",
  "identity-provider": "people",
  notification: "notifications",
  policy: "policies",
  proposal: "approvals",
  repository: "repositories",
  restore: "restore",
  run: "runs",
  session: "people",
  snapshot: "sources",
  token: "tokens",
  user: "people",
  verify: "sources",
  worker: "workers",
};

/** The key of the page for `keepward run list`; none for what only the command line can do, and for code that is no command. */
export function pageOf(code: string): string | undefined {
  const noun = /^keepward ([a-z-]+)/.exec(code)?.[1];
  return noun !== undefined && Object.hasOwn(PAGES, noun) ? PAGES[noun] : undefined;
}
