import type { Schemas } from "../../api/client";

/** An issue in a run, with its history where that is known. */
export interface Row {
  /** Empty for an issue that is about a repository alone. */
  connector: string;
  repository?: string | null;
  code: string;
  /** What the code stands for. */
  title?: string | null;
  kind: string;
  scope: string;
  /** What the project is called. */
  scope_name?: string | null;
  item?: string | null;
  /** What the item is called. */
  item_name?: string | null;
  message: string;
  hint?: string | null;
  /** In so many runs of the last 30 days. */
  runs?: number;
  first?: string;
  last?: string;
  acknowledged?: Schemas["AcknowledgedView"] | null;
  /** Neither its history nor whether somebody acknowledged it is known, or not yet. */
  untold?: true;
}

export interface Group {
  code: string;
  title: string;
  hint: string | null;
  rows: Row[];
  /** Those that nobody acknowledged. */
  open: number;
}

/** The same for the same trouble in any run. */
export function key(row: Row): string {
  return JSON.stringify([row.connector.toLowerCase(), row.repository ?? "", row.code, row.kind, row.scope, row.item ?? ""]);
}

/** Nobody acknowledged it, as far as is known. */
export function isOpen({ acknowledged, untold }: Row): boolean {
  return !acknowledged && !untold;
}

/** One group for each code: first what nobody acknowledged, and the largest of that. */
export function grouped(rows: Row[]): Group[] {
  const codes = new Map<string, Row[]>();
  for (const row of rows) codes.set(row.code, [...(codes.get(row.code) ?? []), row]);
  const groups = [...codes].map(([code, all]) => ({
    code,
    title: all.find((row) => row.title)?.title ?? code,
    hint: all.find((row) => row.hint)?.hint ?? null,
    rows: all,
    open: all.filter(isOpen).length,
  }));
  return groups.toSorted((one, other) => other.open - one.open || other.rows.length - one.rows.length || one.code.localeCompare(other.code));
}

/** The issues of a run, each with the history that is known of it; `known` is absent while nobody can tell. An issue that a run met twice is one. */
export function withHistory({ connector, repository }: { connector: string; repository: string }, issues: Schemas["IssueView"][], known: Schemas["RecurringView"][] | undefined): Row[] {
  const history = new Map((known ?? []).map((row) => [key(row), row]));
  const rows = new Map<string, Row>();
  for (const issue of issues) {
    const row: Row = { ...issue, connector, ...(connector === "" && { repository }), ...(known === undefined && { untold: true }) };
    const its = history.get(key(row));
    rows.set(key(row), its ? { ...row, runs: its.runs, first: its.first, last: its.last, acknowledged: its.acknowledged ?? null } : row);
  }
  return [...rows.values()];
}

export type Seen = "open" | "acknowledged" | "all";

export function filtered(rows: Row[], seen: Seen, kind?: string, code?: string): Row[] {
  return rows.filter(
    (row) =>
      (seen === "all" || (seen === "acknowledged") === Boolean(row.acknowledged)) &&
      (!kind || row.kind === kind) &&
      (!code || row.code === code),
  );
}
