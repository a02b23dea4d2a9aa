/** What uses a credential, as the API writes it: `connector contoso`. */
export interface User {
  kind: "connector" | "repository" | "other";
  name: string;
}

export function userOf(text: string): User {
  const [, kind, name] = /^(connector|repository) (.+)$/.exec(text) ?? [];
  return kind && name ? { kind: kind as User["kind"], name } : { kind: "other", name: text };
}

/** The connectors that use it beside this one. */
export function othersOf(users: readonly string[] | null | undefined, connector: string): string[] {
  const own = connector.toLowerCase();
  return (users ?? []).map(userOf).flatMap(({ kind, name }) => (kind === "connector" && name.toLowerCase() !== own ? name : []));
}
