/** The page of what an entry is about: `connector/contoso`. Nothing where there is none. */
export interface Place {
  to: string;
  params?: Record<string, string>;
}

const PAGES: Record<string, string> = {
  connector: "/connectors/$name",
  credential: "/vault/$name",
  policy: "/policies/$name",
  repository: "/repositories/$name",
  person: "/people/$name",
  run: "/runs/$id",
  snapshot: "/snapshots/$id",
  "restore-plan": "/restore/$id",
};

const LISTS: Record<string, string> = {
  notification: "/notifications",
  worker: "/workers",
  token: "/tokens",
  "identity-provider": "/people",
  setting: "/settings",
  proposal: "/approvals",
};

export function placeOf(subject: string): Place | undefined {
  const at = subject.indexOf("/");
  const kind = at < 0 ? subject : subject.slice(0, at);
  const name = at < 0 ? "" : subject.slice(at + 1);
  const page = Object.hasOwn(PAGES, kind) ? PAGES[kind] : undefined;
  if (page !== undefined && name !== "") {
    return { to: page, params: { [page.endsWith("$id") ? "id" : "name"]: name } };
  }
  const list = Object.hasOwn(LISTS, kind) ? LISTS[kind] : undefined;
  return list === undefined ? undefined : { to: list };
}
