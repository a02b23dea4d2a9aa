import type { Schemas } from "../../api/client";

export type Channel = Schemas["ChannelView"];
export type To = Schemas["To"];
export type Kind = To["kind"];
type Occasion = Schemas["Occasions"];

export const KINDS: Kind[] = ["email", "webhook", "slack", "teams", "ping"];
export const OCCASIONS: Occasion[] = ["success", "warning", "failure", "alarm"];

/** What a channel of this kind usually tells of. */
export function usual(kind: Kind): Occasion[] {
  return kind === "ping" ? ["success"] : ["warning", "failure", "alarm"];
}

/** What a person fills in; which of it counts depends on the kind. */
export interface Draft {
  kind: Kind;
  host: string;
  port: string;
  security: "starttls" | "tls" | "none";
  user: string;
  from: string;
  to: string;
  url: string;
}

export function draftOf(to: To | undefined): Draft {
  const mail = to?.kind === "email" ? to : undefined;
  return {
    kind: to?.kind ?? "email",
    host: mail?.host ?? "",
    port: mail?.port == null ? "" : String(mail.port),
    security: mail?.security ?? "starttls",
    user: mail?.user ?? "",
    from: mail?.from ?? "",
    to: mail?.to.join(", ") ?? "",
    url: to?.kind === "webhook" ? to.url : "",
  };
}

export function toOf(draft: Draft): To {
  switch (draft.kind) {
    case "email":
      return {
        kind: "email",
        host: draft.host.trim(),
        security: draft.security,
        from: draft.from.trim(),
        to: words(draft.to),
        ...(draft.port !== "" && { port: Number(draft.port) }),
        ...(draft.user.trim() !== "" && { user: draft.user.trim() }),
      };
    case "webhook":
      return { kind: "webhook", url: draft.url.trim() };
    default:
      return { kind: draft.kind };
  }
}

/** Whether enough is filled in. Where the address is the secret, a new channel needs it. */
export function complete(draft: Draft, secret: string, stored: boolean): boolean {
  if (draft.kind === "email") return [draft.host, draft.from, draft.to].every((text) => text.trim() !== "");
  if (draft.kind === "webhook") return draft.url.trim() !== "" && (stored || secret !== "");
  return stored || secret !== "";
}

export function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter((word) => word !== "");
}

/** Where a channel leads, as far as that is no secret. */
export function address(to: To): string | undefined {
  if (to.kind === "email") return to.to.join(", ");
  return to.kind === "webhook" ? to.url : undefined;
}

/** What a message is about: `run/ID`, `alarm/KEY/TIME`, where keys have slashes of their own. */
export function event(text: string): { kind: "run"; id: string } | { kind: "alarm"; key: string } | { kind: "other"; text: string } {
  const [kind, ...rest] = text.split("/");
  if (kind === "run" && rest[0]) return { kind, id: rest[0] };
  if (kind === "alarm" && rest.length > 1) return { kind, key: rest.slice(0, -1).join("/") };
  return { kind: "other", text };
}

/** The options of `keepward notification add`. */
export function options(to: To, on: readonly Occasion[], connectors: readonly string[], more: { secret: boolean; enabled: boolean }): string[] {
  const mail =
    to.kind === "email"
      ? [
          ...["--host", to.host],
          ...(to.port == null ? [] : ["--port", String(to.port)]),
          ...["--security", to.security ?? "starttls"],
          ...(to.user ? ["--user", to.user] : []),
          ...["--from", to.from],
          ...to.to.flatMap((one) => ["--to", one]),
        ]
      : [];
  return [
    to.kind,
    ...mail,
    ...(to.kind === "webhook" ? ["--url", to.url] : []),
    ...on.flatMap((one) => ["--on", one]),
    ...connectors.flatMap((one) => ["--connector", one]),
    ...(more.secret ? ["--secret-file", "FILE"] : []),
    ...(more.enabled ? [] : ["--disabled"]),
  ];
}
