import { webAddress } from "../../components/address";
import { type Document, isDocument, listAt, textAt } from "./records";

/** Where something is in the console. */
export interface Place {
  kind: string;
  item: string;
  search?: Record<string, string>;
}

/** The console's address of a place in a snapshot. */
export function placeAddress(snapshot: string, { kind, item, search }: Place): string {
  const words = new URLSearchParams(search).toString();
  return `/snapshots/${snapshot}/item/${kind}/${encodeURIComponent(item)}${words && `?${words}`}`;
}

/** The folder of a work item in every snapshot: folders of 256 each. */
export function workItemFolder(id: number): string {
  return `work-items/${String(Math.floor(id / 256)).padStart(4, "0")}/${id}`;
}

const ATTACHMENT = /\/_apis\/wit\/attachments\/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:[?/]|$)/i;
const WORK_ITEM = /\/(?:_apis\/wit\/workitems|_workitems\/edit)\/(\d{1,10})(?:[?#/]|$)/i;

/** The id of the attachment that an address of the service names. */
export function attachmentOf(address: string): string | undefined {
  return ATTACHMENT.exec(address)?.[1]?.toLowerCase();
}

/** The host and first folder of an address: an organization is known by them. */
function organizationOf(address: string | undefined): string | undefined {
  const url = address === undefined ? undefined : webAddress(address);
  return url && `${url.host}/${url.pathname.split("/")[1] ?? ""}`.toLowerCase();
}

/** The number of the work item that an address names; `own` is any address of the same organization. */
export function workItemOf(address: string, own: string | undefined): string | undefined {
  const organization = organizationOf(own);
  if (organization === undefined || organizationOf(address) !== organization) return undefined;
  return WORK_ITEM.exec(address)?.[1];
}

/** Where the files of a work item are: in its own folder, or in that of the item that had them first. */
export function attachmentPaths(parts: { name: string; path: string }[], shared: unknown): (guid: string) => string | undefined {
  const own = new Map(parts.filter(({ name }) => name.startsWith("attachments/")).map(({ name, path }) => [name.slice("attachments/".length).toLowerCase(), path]));
  return (guid) => {
    const path = own.get(guid);
    if (path !== undefined) return path;
    const owner = isDocument(shared) ? shared[guid] : undefined;
    return typeof owner === "number" && Number.isSafeInteger(owner) ? `${workItemFolder(owner)}/attachments/${guid}` : undefined;
  };
}

/** A link of a work item, as people read it. */
export interface Relation {
  /** `Parent`, `Related`, `Fixed in Commit`. */
  name: string;
  comment?: string;
  /** What it leads to, in words. */
  to: string;
  place?: Place;
  /** An address of the web. */
  address?: string;
}

export interface Attachment {
  id: string;
  name: string;
  size?: number;
  comment?: string;
  created?: string;
}

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function artifact(url: string): Pick<Relation, "to" | "place"> {
  const [, type, rest = ""] = /^vstfs:\/\/\/([^/]+\/[^/]+)\/(.*)$/.exec(url) ?? [];
  let words: string[];
  try {
    words = decodeURIComponent(rest).split("/");
  } catch {
    return { to: url };
  }
  const [, repository = "", ...tail] = words;
  const last = tail.join("/");
  if (!GUID.test(repository)) return { to: type ? `${type} ${rest}` : url };
  if (type === "Git/Commit") {
    return { to: last.slice(0, 8), place: { kind: "git-repository", item: repository, search: { tab: "commits", commit: last } } };
  }
  if (type === "Git/Ref" && /^G[BT]./.test(last)) {
    const ref = `refs/${last.startsWith("GB") ? "heads" : "tags"}/${last.slice(2)}`;
    return { to: last.slice(2), place: { kind: "git-repository", item: repository, search: { tab: "files", ref } } };
  }
  return { to: `${type} ${last}` };
}

/** The links of a work item; its attachments are told by `attachmentsOf`. */
export function relationsOf(document: Document): Relation[] {
  const own = textAt(document, "/url");
  return listAt(document, "/relations")
    .filter(({ rel }) => rel !== "AttachedFile")
    .map((relation): Relation => {
      const url = textAt(relation, "/url") ?? "";
      const name = textAt(relation, "/attributes/name") ?? textAt(relation, "/rel") ?? "";
      const comment = textAt(relation, "/attributes/comment");
      const told = { name, ...(comment && { comment }) };
      // Links of the work item's own organization only: numbers of another one mean other items.
      const id = workItemOf(url, own) ?? (own === undefined ? WORK_ITEM.exec(url)?.[1] : undefined);
      if (id !== undefined) return { ...told, to: id, place: { kind: "work-item", item: id } };
      if (url.startsWith("vstfs:")) return { ...told, ...artifact(url) };
      const address = webAddress(url)?.href;
      return { ...told, to: address ?? url, ...(address && { address }) };
    });
}

export function attachmentsOf(document: Document): Attachment[] {
  return listAt(document, "/relations").flatMap((relation): Attachment[] => {
    const id = relation["rel"] === "AttachedFile" ? attachmentOf(textAt(relation, "/url") ?? "") : undefined;
    if (id === undefined) return [];
    const size = Number(textAt(relation, "/attributes/resourceSize"));
    const [comment, created] = [textAt(relation, "/attributes/comment"), textAt(relation, "/attributes/resourceCreatedDate")];
    return [
      {
        id,
        name: textAt(relation, "/attributes/name") ?? id,
        ...(Number.isFinite(size) && { size }),
        ...(comment && { comment }),
        ...(created && { created }),
      },
    ];
  });
}
