import type { Kind } from "./types";

/** What a name or a pasted address leads to, as the server reads it too. */
export interface Address {
  organization: string;
  part?: { kind: "repository" | "wiki"; project: string; name: string };
}

/** Why a text is none: `connect.fault.KEY` says it to people. */
type Fault =
  | "empty"
  | "organization"
  | "scheme"
  | "password"
  | "host"
  | "organizationMissing"
  | "repositoryMissing"
  | "wikiMissing"
  | "names"
  | "part"
  | "tenant";

type Parsed = { ok: Address } | { fault: Fault };

const ORGANIZATION = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$/;
const NAME = /^[A-Za-z][A-Za-z0-9-]{2,31}$/;
const OLD_CLOUD = ".visualstudio.com";

/** Whether a connector may be called so. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** An organization of Azure DevOps: its name, or an address that leads to it, to one of its repositories or wikis. */
export function parseOrganization(text: string): Parsed {
  const given = text.trim();
  if (given === "") return { fault: "empty" };
  if (ORGANIZATION.test(given)) return { ok: { organization: given } };
  const url = URL.parse(given);
  if (!url) return { fault: "organization" };
  if (url.protocol !== "https:") return { fault: "scheme" };
  if (url.password !== "") return { fault: "password" };
  if (url.port !== "") return { fault: "host" };
  const words = segments(url);
  if (!words) return { fault: "names" };
  const host = url.hostname;
  let organization: string;
  if (host === "dev.azure.com") {
    const [first] = words.splice(0, 1);
    if (first === undefined) return { fault: "organizationMissing" };
    organization = first;
  } else if (host.endsWith(OLD_CLOUD)) {
    organization = host.slice(0, -OLD_CLOUD.length);
    // The collection that every organization of this form has, and that links may name.
    if (same(words[0], "DefaultCollection")) words.splice(0, 1);
  } else {
    return { fault: "host" };
  }
  return ORGANIZATION.test(organization) ? part(organization, words) : { fault: "organization" };
}

/** The path in clear text; nothing where a segment hides what the service never makes. */
function segments(url: URL): string[] | undefined {
  const words: string[] = [];
  for (const segment of url.pathname.split("/").filter(Boolean)) {
    let word: string;
    try {
      word = decodeURIComponent(segment).trim();
    } catch {
      return undefined;
    }
    // oxlint-disable-next-line no-control-regex
    if (word === "" || word === "." || word === ".." || /[/\\\u0000-\u001f\u007f]/.test(word)) return undefined;
    words.push(word);
  }
  return words;
}

function same(word: string | undefined, wanted: string): boolean {
  return word?.toLowerCase() === wanted.toLowerCase();
}

/** `{project}/_git/{repository}`, `_git/{repository}` or `{project}/_wiki/wikis/{wiki}`; other paths lead to the organization alone. */
function part(organization: string, words: string[]): Parsed {
  const [first = "", second, third, fourth] = words;
  const found = (kind: "repository" | "wiki", project: string, name: string): Parsed => ({
    ok: { organization, part: { kind, project, name } },
  });
  if (words.length === 2 && same(first, "_git") && second) return found("repository", second, second);
  if (!first.startsWith("_")) {
    if (same(second, "_git") && third) return found("repository", first, third);
    if (same(second, "_wiki") && same(third, "wikis") && fourth) return found("wiki", first, fourth);
  }
  const last = words.at(-1);
  if (same(last, "_git")) return { fault: "repositoryMissing" };
  if (same(last, "_wiki") || same(last, "wikis")) return { fault: "wikiMissing" };
  return { ok: { organization } };
}

/** The address of one repository or wiki, as the documentation connector wants it. */
export function parsePart(text: string): Parsed {
  const parsed = parseOrganization(text);
  return "ok" in parsed && !parsed.ok.part ? { fault: "part" } : parsed;
}

/** A tenant of Microsoft 365: one of its domains, or its id. */
export function parseTenant(text: string): Parsed {
  const tenant = text.trim().toLowerCase();
  if (tenant === "") return { fault: "empty" };
  const isId = tenant.length === 36 && tenant.split("-").length === 5;
  const isDomain = tenant.includes(".") && !tenant.startsWith(".") && !tenant.endsWith(".");
  return /^[a-z0-9.-]+$/.test(tenant) && (isId || isDomain) ? { ok: { organization: tenant } } : { fault: "tenant" };
}

/** What a text leads to, for this kind of connector. */
export function parsePlace(place: Kind["place"], text: string): Parsed {
  switch (place) {
    case "organization":
      return parseOrganization(text);
    case "part":
      return parsePart(text);
    case "tenant":
      return parseTenant(text);
    case "collection":
      return text.trim() === "" ? { fault: "empty" } : { ok: { organization: text.trim() } };
  }
}

/** The organization, tenant or collection alone; nothing where the text names none, or none that fits. */
export function organizationIn(place: Kind["place"], text: string): string | undefined {
  const parsed = parsePlace(place, text);
  return "ok" in parsed ? parsed.ok.organization : undefined;
}

/** The service address of an Azure DevOps Server: with its protocol, and nothing secret in it. */
export function isServer(text: string): boolean {
  const url = URL.parse(text.trim());
  if (!url || !["http:", "https:"].includes(url.protocol)) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** A name that fits, made of what is to be connected: `contoso.onmicrosoft.com` becomes `contoso-onmicrosoft-com`. */
export function suggestName(organization: string, taken: readonly string[] = []): string {
  const plain = organization.replace(/[^A-Za-z0-9]+/g, "-").replace(/^[^A-Za-z]+/, "").slice(0, 32).replace(/-+$/, "");
  const base = isName(plain) ? plain : `ado-${plain}`.slice(0, 32).replace(/-+$/, "");
  const used = new Set(taken.map((name) => name.toLowerCase()));
  for (let number = 1; number < 100; number += 1) {
    const end = number === 1 ? "" : `-${number}`;
    const name = base.slice(0, 32 - end.length) + end;
    if (!used.has(name.toLowerCase())) return name;
  }
  return base;
}
