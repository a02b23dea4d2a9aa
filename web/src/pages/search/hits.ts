const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day of the person's own calendar as a moment: its beginning, or its end. */
export function moment(day: string | undefined, end: boolean): string | undefined {
  if (day === undefined || !DAY.test(day)) return undefined;
  const at = new Date(`${day}T${end ? "23:59:59.999" : "00:00:00"}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** What the address looks for, as the API takes it. */
export function searchQuery(shown: Record<string, string | undefined>): Record<string, string> {
  const { q, kind, project, connector, since, until } = shown;
  const query = { q, kind, project, connector, since: moment(since, false), until: moment(until, true) };
  return Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""));
}

/** The words after `keepward` that look for the same. The command line knows organizations, not connectors: none while it is not known. */
export function searchCli(shown: Record<string, string | undefined>, organization: string | undefined): string[] | undefined {
  const { q = "", kind, project, connector, since, until } = searchQuery(shown);
  if (connector !== undefined && organization === undefined) return undefined;
  const options = Object.entries({ kind, project, source: connector === undefined ? undefined : organization, since, until });
  return ["snapshot", "search", ...options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])), ...(q.startsWith("-") ? ["--"] : []), q];
}
