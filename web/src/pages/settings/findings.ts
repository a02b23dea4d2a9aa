import type { Schemas } from "../../api/client";
import { standing } from "../workers/standing";

/** What is known about the server; a member is absent while it is not. */
export interface Known {
  repositories?: { name: string; default: boolean; well: boolean }[];
  workers?: Schemas["WorkerView"][];
  channels?: Schemas["ChannelView"][];
  alarms?: Schemas["AlarmView"][];
  credentials?: Schemas["CredentialView"][];
  people?: Schemas["Person"][];
  /** Seconds by which the server's clock is ahead of the browser's. */
  skew?: number;
}

export type Standing = "good" | "warning" | "bad" | "unknown";

/** One finding: `what` and `words` name texts, `to` is the page where something can be done about it. */
export interface Finding {
  what: string;
  state: Standing;
  words?: string;
  values?: { count?: number; names?: string };
  to: string;
}

const names = (of: { name: string }[]) => of.map(({ name }) => name).join(", ");
/** Clocks of browsers and the way there differ by some seconds. */
const SKEW = 60;

function repositories(all: NonNullable<Known["repositories"]>): Omit<Finding, "what" | "to"> {
  const ill = all.filter(({ well }) => !well);
  if (all.length === 0) return { state: "bad", words: "repositories.none" };
  if (ill.length > 0) return { state: "bad", words: "repositories.bad", values: { names: names(ill) } };
  if (!all.some((one) => one.default)) return { state: "warning", words: "repositories.default" };
  return { state: "good", words: "repositories.good", values: { count: all.length } };
}

function workers(all: NonNullable<Known["workers"]>, now: number): Omit<Finding, "what" | "to"> {
  const ready = all.filter((worker) => standing(worker, now) === "here");
  const away = all.filter((worker) => standing(worker, now) === "away");
  if (ready.length === 0) return { state: "bad", words: "workers.none" };
  if (away.length > 0) return { state: "warning", words: "workers.away", values: { names: names(away) } };
  return { state: "good", words: "workers.good", values: { count: ready.length } };
}

function channels(all: NonNullable<Known["channels"]>): Omit<Finding, "what" | "to"> {
  const tells = all.filter(({ enabled, on }) => enabled && on.includes("failure") && on.includes("alarm"));
  return tells.length > 0
    ? { state: "good", words: "notifications.good", values: { names: names(tells) } }
    : { state: "warning", words: "notifications.none" };
}

function alarms(all: NonNullable<Known["alarms"]>): Omit<Finding, "what" | "to"> {
  const open = all.filter(({ acknowledged, level }) => !acknowledged && level !== "notice");
  if (open.length === 0) return { state: "good", words: "alarms.good" };
  const critical = open.some(({ level }) => level === "critical");
  return { state: critical ? "bad" : "warning", words: "alarms.bad", values: { count: open.length } };
}

function credentials(all: NonNullable<Known["credentials"]>): Omit<Finding, "what" | "to"> {
  const over = all.filter(({ expiry }) => expiry === "expired");
  const soon = all.filter(({ expiry }) => expiry === "expiring");
  if (over.length > 0) return { state: "bad", words: "credentials.bad", values: { names: names(over) } };
  if (soon.length > 0) return { state: "warning", words: "credentials.soon", values: { names: names(soon) } };
  return { state: "good", words: "credentials.good" };
}

/** Disabled accounts help nobody; who comes by an identity provider has its second factor there. */
function administrators(all: NonNullable<Known["people"]>): Omit<Finding, "what" | "to">[] {
  const can = all.filter(({ disabled, roles }) => !disabled && roles.includes("admin"));
  const bare = can.filter(({ has_password, second_factor }) => has_password && second_factor !== "on");
  return [
    can.length > 1 ? { state: "good", words: "administrators.good" } : { state: "warning", words: "administrators.one" },
    bare.length > 0
      ? { state: "warning", words: "factors.bad", values: { names: names(bare) } }
      : { state: "good", words: "factors.good" },
  ];
}

/** Everything that somebody should know, in the order in which backups need it. */
export function findings(known: Known, now: number): Finding[] {
  const unknown = { state: "unknown" as const };
  const [admins = unknown, factors = unknown] = known.people ? administrators(known.people) : [];
  const skewed = known.skew !== undefined && Math.abs(known.skew) > SKEW;
  return [
    { what: "repository", to: "/repositories", ...(known.repositories ? repositories(known.repositories) : unknown) },
    { what: "worker", to: "/workers", ...(known.workers ? workers(known.workers, now) : unknown) },
    { what: "alarm", to: "/alarms", ...(known.alarms ? alarms(known.alarms) : unknown) },
    { what: "credential", to: "/vault", ...(known.credentials ? credentials(known.credentials) : unknown) },
    { what: "notification", to: "/notifications", ...(known.channels ? channels(known.channels) : unknown) },
    { what: "administrator", to: "/people", ...admins },
    { what: "factor", to: "/people", ...factors },
    {
      what: "clock",
      to: "/settings",
      ...(known.skew === undefined ? unknown : { state: skewed ? ("warning" as const) : ("good" as const), words: skewed ? "clocks.bad" : "clocks.good" }),
    },
  ];
}
