import { bytes, count, duration, percent } from "../../components/format";
import type { Run } from "./standing";

/** One member of a run's result, for people. */
export interface Told {
  key: string;
  value: string;
}

const YES = { yes: "yes", no: "no" };

function value(key: string, of: unknown, words: typeof YES): string | null {
  if (typeof of === "number") {
    if (/(^|_)bytes(_|$)/.test(key)) return bytes(of);
    if (key.endsWith("_seconds") || key === "seconds") return duration(of);
    if (key.endsWith("_percent")) return percent(of / 100);
    return count(of);
  }
  if (typeof of === "boolean") return of ? words.yes : words.no;
  return typeof of === "string" && of !== "" ? of : null;
}

/** What a check, prune or verification came to; members inside others are named by both, lists by how long they are. */
export function told(result: unknown, words = YES, before = ""): Told[] {
  if (typeof result !== "object" || result === null) return [];
  return Object.entries(result).flatMap(([name, member]) => {
    const key = before ? `${before}_${name}` : name;
    if (Array.isArray(member)) return member.length > 0 ? [{ key, value: count(member.length) }] : [];
    if (typeof member === "object") return told(member, words, key);
    const shown = value(name, member, words);
    return shown === null ? [] : [{ key, value: shown }];
  });
}

/** A snapshot that retention dropped after a run. */
export interface Forgotten {
  id: string;
  time?: string;
}

function isForgotten(one: unknown): one is Forgotten {
  return typeof one === "object" && one !== null && "id" in one && typeof one.id === "string";
}

export function forgotten({ result }: Pick<Run, "result">): Forgotten[] {
  const found: unknown = result?.["forgotten"];
  return Array.isArray(found) ? found.filter(isForgotten) : [];
}

/** `packs_removed` where no text names it: `Packs removed`. */
export function plain(key: string): string {
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How much damage a check or verification found; none for runs that look for none. */
export function damage({ result }: Pick<Run, "result">): number {
  const found: unknown = result?.["damage"];
  return typeof found === "number" ? found : 0;
}
