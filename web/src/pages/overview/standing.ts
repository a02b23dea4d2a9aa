import type { Schemas } from "../../api/client";
import type { Tone } from "../../components/StatusBadge";
import { wayTo } from "../connect/way";

export type Overview = Schemas["Overview"];
export type Source = Schemas["SourceView"];

/** A source that something backs up. */
export type Connected = Source & { connector: string };

export function isConnected(source: Source): source is Connected {
  return typeof source.connector === "string";
}

/** How a source stands; what nobody can place is not protected, whatever its last backup was. */
export function stateOf({ state, address_error: error }: Source): string {
  return error == null ? state : "unplaced";
}

type SourceState = "unplaced" | "late" | "partial" | "never" | "failing" | "unprotected";

/** Something that needs a person; `key` names its text. */
export interface Need {
  key: string;
  tone: "bad" | "warning" | "waiting";
  values: Record<string, string | number>;
  to: string;
  params?: Record<string, string>;
  search?: Record<string, string>;
}

export const TONES: Record<string, Tone> = {
  protected: "good",
  late: "warning",
  partial: "warning",
  never: "warning",
  failing: "bad",
  unprotected: "bad",
  unplaced: "bad",
};

/** More sources of one trouble than this are told in one line. */
const EACH = 5;

function needsOf(state: SourceState, sources: Connected[]): Need[] {
  const troubled = sources.filter((source) => stateOf(source) === state);
  const tone = TONES[state] === "bad" ? "bad" : "warning";
  if (troubled.length > EACH) {
    return [{ key: `${state}Many`, tone, values: { count: troubled.length }, to: "/", search: { state } }];
  }
  return troubled.map(({ connector }) => ({
    key: state,
    tone,
    values: { connector },
    to: "/connectors/$name",
    params: { name: connector },
  }));
}

/** Their snapshots stay; whether they should be connected again is for a person to say. */
function orphansOf(sources: Source[]): Need[] {
  const orphans = sources.filter((source) => !isConnected(source));
  const need = { tone: "waiting", to: "/connect" } as const;
  // The same name at another address would be another source.
  const toWizard = ({ service, organization, address }: Source) => {
    const way = address == null ? undefined : wayTo({ service, source: organization, address });
    return way && { to: "/connect/$kind", params: { kind: way.kind }, search: way.search };
  };
  if (orphans.length > EACH) return [{ ...need, key: "orphanMany", values: { count: orphans.length } }];
  return orphans.map((orphan) => ({ ...need, key: "orphan", values: { organization: orphan.organization }, ...toWizard(orphan) }));
}

/** What needs somebody, the most pressing first. */
export function needs({ sources: all, storage, alarms, runs, waiting_proposals: waiting, unprotected }: Overview): Need[] {
  const found: Need[] = orphansOf(all);
  const sources = all.filter(isConnected);
  for (const { name, damaged } of storage.repositories) {
    if (damaged) found.push({ key: "damaged", tone: "bad", values: { name }, to: "/repositories/$name", params: { name } });
  }
  if (alarms.critical > 0) found.push({ key: "critical", tone: "bad", values: { count: alarms.critical }, to: "/alarms" });
  for (const state of ["unplaced", "failing", "unprotected", "late", "partial", "never"] as const) found.push(...needsOf(state, sources));
  const others = alarms.open - alarms.critical;
  if (others > 0) found.push({ key: "alarms", tone: "warning", values: { count: others }, to: "/alarms" });
  // A failed run of a source that has recovered since is history.
  const failing = sources.some((source) => stateOf(source) === "failing");
  const { failed, with_issues: issues } = runs.last_day;
  if (failed > 0 && !failing) found.push({ key: "failed", tone: "waiting", values: { count: failed }, to: "/runs", search: { state: "failed" } });
  if (issues > 0) found.push({ key: "issues", tone: "waiting", values: { count: issues }, to: "/issues" });
  if (waiting > 0) found.push({ key: "proposals", tone: "waiting", values: { count: waiting }, to: "/approvals" });
  if (unprotected.length > 0) found.push({ key: "things", tone: "warning", values: { count: unprotected.length }, to: "/policies" });
  const order = ["bad", "warning", "waiting"];
  return found.toSorted((one, other) => order.indexOf(one.tone) - order.indexOf(other.tone));
}

export interface Verdict {
  key: "empty" | "reconnect" | "well" | "wellWithNotes" | "attention" | "trouble";
  tone: "neutral" | "good" | "warning" | "bad";
  values: Record<string, number>;
}

/** Whether all is well, in one sentence. */
export function verdict(overview: Overview): Verdict {
  const sources = overview.sources.filter(isConnected);
  const all = sources.length;
  const orphans = overview.sources.length - all;
  if (all === 0 && orphans > 0) return { key: "reconnect", tone: "bad", values: { count: orphans } };
  if (all === 0) return { key: "empty", tone: "neutral", values: {} };
  const open = needs(overview);
  const count = (tone: Need["tone"]) => open.filter((need) => need.tone === tone).length;
  const good = sources.filter((source) => stateOf(source) === "protected").length;
  const values = { all, good, count: all - good };
  if (count("bad") > 0) return { key: "trouble", tone: "bad", values };
  if (count("warning") > 0) return { key: "attention", tone: "warning", values };
  return { key: open.length > 0 ? "wellWithNotes" : "well", tone: "good", values };
}

const DAY = 86_400_000;
const OBJECTIVES = [7, 14, 30] as const;

/** How many sources have a good backup that is no older than so many days. */
export function coverage(overview: Source[], now: number): { days: number; covered: number; all: number }[] {
  const sources = overview.filter(isConnected);
  return OBJECTIVES.map((days) => ({
    days,
    covered: sources.filter(({ last_good: last }) => last != null && now - Date.parse(last.at) <= days * DAY).length,
    all: sources.length,
  }));
}

const WORST: string[] = ["unplaced", "failing", "unprotected", "late", "partial", "never", "protected"];

/** The worst first, then by name; what has no connector comes last. */
export function sorted(sources: Source[]): Source[] {
  const place = (source: Source) => (isConnected(source) ? WORST.indexOf(stateOf(source)) : WORST.length);
  return sources.toSorted((one, other) => place(one) - place(other) || nameOf(one).localeCompare(nameOf(other)));
}

export function nameOf(source: Source): string {
  return source.connector ?? source.organization;
}

/** What no policy protects, by connector and kind. */
export function unprotectedOf(things: Overview["unprotected"]): { connector: string; kind: string; names: string[] }[] {
  const groups = new Map<string, { connector: string; kind: string; names: string[] }>();
  for (const { connector, kind, name } of things) {
    const key = JSON.stringify([connector, kind]);
    const group = groups.get(key) ?? { connector, kind, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** How many times less is stored than was received; `null` before anything was. */
export function deduplication({ raw_bytes: raw, stored_bytes: stored }: Overview["storage"]): number | null {
  return raw > 0 && stored > 0 ? raw / stored : null;
}
