export type Storage = "folder" | "s3" | "azure" | "gs";

/** Where a repository lies, in the parts that a form asks for. */
export interface Place {
  storage: Storage;
  /** Of a folder alone. */
  path: string;
  /** Of Azure alone. */
  account: string;
  /** Bucket or container. */
  bucket: string;
  prefix: string;
  /** Another server than the cloud's own. */
  endpoint: string;
  region: string;
  /** The bucket's name is part of the host's. */
  virtualHost: boolean;
}

export const NOWHERE: Place = {
  storage: "folder",
  path: "",
  account: "",
  bucket: "",
  prefix: "",
  endpoint: "",
  region: "",
  virtualHost: false,
};

const SCHEMES: Record<string, Storage> = { s3: "s3", s3a: "s3", azure: "azure", az: "azure", gs: "gs" };

/** The parts of a location as the API writes it; whatever has no scheme of a cloud is a folder. */
export function parse(location: string): Place {
  const [scheme = "", rest] = split(location, "://");
  const storage = rest === undefined ? undefined : SCHEMES[scheme];
  if (storage === undefined || rest === undefined) {
    return { ...NOWHERE, path: scheme === "file" && rest !== undefined ? rest : location };
  }
  const [path = "", query = ""] = split(rest, "?");
  const parts = path.replace(/\/+$/, "").split("/");
  const account = storage === "azure" ? (parts.shift() ?? "") : "";
  const [bucket = "", ...prefix] = parts;
  const place = { ...NOWHERE, storage, account, bucket, prefix: prefix.join("/") };
  for (const option of query.split("&")) {
    const [name, value = ""] = split(option, "=");
    if (name === "endpoint") place.endpoint = value;
    if (name === "region") place.region = value;
    if (name === "style") place.virtualHost = value === "virtual";
  }
  return place;
}

/** Like `String.split`, but at the first place alone. */
function split(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + at.length)];
}

/** The location as the API takes it. */
export function format(place: Place): string {
  if (place.storage === "folder") return place.path.trim();
  const names = [place.storage === "azure" ? place.account : "", place.bucket, place.prefix];
  const path = names
    .map((name) => name.trim().replace(/^\/+|\/+$/g, ""))
    .filter((name) => name !== "")
    .join("/");
  const options = [
    ["endpoint", place.endpoint.trim().replace(/\/+$/, "")],
    ["region", place.region.trim()],
    ["style", place.virtualHost ? "virtual" : ""],
  ].filter(([, value]) => value !== "");
  const query = options.map(([name, value]) => `${name}=${value}`).join("&");
  return `${place.storage}://${path}${query && `?${query}`}`;
}

/** Whether enough is filled in to send it. */
export function complete(place: Place): boolean {
  if (place.storage === "folder") return place.path.trim() !== "";
  return place.bucket.trim() !== "" && (place.storage !== "azure" || place.account.trim() !== "");
}
