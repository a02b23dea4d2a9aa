import { type ComponentType, lazy } from "react";
import type { ViewProps } from "./item";

interface View {
  /** Its text is `item.KEY`; it stands in the address as `tab`. */
  key: string;
  View: ComponentType<ViewProps>;
}

const form = { key: "form", View: lazy(async () => ({ default: (await import("./WorkItemForm")).WorkItemForm })) };
const history = { key: "history", View: lazy(async () => ({ default: (await import("./WorkItemHistory")).WorkItemHistory })) };
const discussion = { key: "discussion", View: lazy(async () => ({ default: (await import("./Discussion")).Discussion })) };
const links = { key: "links", View: lazy(async () => ({ default: (await import("./WorkItemLinks")).WorkItemLinks })) };
const attachments = { key: "attachments", View: lazy(async () => ({ default: (await import("./Attachments")).Attachments })) };
const files = { key: "files", View: lazy(async () => ({ default: (await import("./GitFiles")).GitFiles })) };
const commits = { key: "commits", View: lazy(async () => ({ default: (await import("./GitCommits")).GitCommits })) };
const branches = { key: "branches", View: lazy(async () => ({ default: (await import("./GitBranches")).GitBranches })) };
const pages = { key: "pages", View: lazy(async () => ({ default: (await import("./WikiPages")).WikiPages })) };
const contents = { key: "contents", View: lazy(async () => ({ default: (await import("./ProjectContents")).ProjectContents })) };
const members = { key: "members", View: lazy(async () => ({ default: (await import("./Members")).TeamMembers })) };
const group = { key: "members", View: lazy(async () => ({ default: (await import("./Members")).GroupMembers })) };
const details = { key: "details", View: lazy(async () => ({ default: (await import("./Details")).Details })) };
const versions = { key: "versions", View: lazy(async () => ({ default: (await import("./Versions")).Versions })) };
const parts = { key: "parts", View: lazy(async () => ({ default: (await import("./Parts")).Parts })) };
const raw = { key: "raw", View: lazy(async () => ({ default: (await import("./RawDocument")).RawDocument })) };

// What an item of a kind is shown as beside its details; a kind that is not here has those alone.
const OWN: Record<string, View[]> = {
  "work-item": [form, history, discussion, links, attachments],
  "git-repository": [files, commits, branches, details],
  wiki: [pages, details],
  project: [contents, details],
  team: [members, details],
  group: [details, group],
};

/** The views of an item of a kind, the usual one first. */
export function viewsOf(kind: string): View[] {
  return [...(OWN[kind] ?? [details]), versions, parts, raw];
}
