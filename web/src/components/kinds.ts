import { addTexts, useTexts } from "../texts";

// As the services name them; a kind that is not here yet is shown by its own name.
addTexts("kinds", {
  project: "Projects",
  team: "Teams",
  area: "Areas",
  iteration: "Iterations",
  "git-repository": "Git repositories",
  wiki: "Wikis",
  "work-item": "Work items",
  comment: "Comments",
  attachment: "Attachments",
  user: "Users",
  group: "Groups",
  site: "Sites",
});

/** The kinds of each service, in the order in which they are read. */
export const KINDS: Record<string, string[]> = {
  "azure-devops": ["project", "team", "area", "iteration", "git-repository", "wiki", "work-item", "comment", "attachment"],
  "microsoft-365": ["user", "group", "site"],
};

/** `git-repository` as people read it: `Git repositories`. */
export function useKindTitle(): (kind: string) => string {
  const t = useTexts("kinds");
  return (kind) => t(kind, { defaultValue: plain(kind) });
}

function plain(kind: string): string {
  const words = kind.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
