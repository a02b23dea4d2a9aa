/** An entry of a folder in the wiki's repository. */
interface Entry {
  name: string;
  type: string;
}

/** A page of a wiki, or a folder of pages without one of its own. */
export interface WikiPage {
  /** As people know it. */
  title: string;
  /** Its path in the repository without `.md`; pages below it are in the folder of this name. */
  path: string;
  hasText: boolean;
  hasPages: boolean;
}

const PAGE = ".md";

/** `How%2Dto-guides` is `How-to guides`. */
export function pageTitle(name: string): string {
  const spaced = name.replaceAll("-", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** The pages of a folder in the order that its `.order` file gives; those that it does not name follow by name. */
export function pagesOf(folder: string, entries: Entry[], order: string): WikiPage[] {
  const prefix = folder === "" ? "" : `${folder}/`;
  const pages = new Map<string, WikiPage>();
  for (const { name, type } of entries) {
    const isPage = type === "file" && name.toLowerCase().endsWith(PAGE);
    const isFolder = type === "folder" && !name.startsWith(".");
    if (!isPage && !isFolder) continue;
    const key = isPage ? name.slice(0, -PAGE.length) : name;
    const page = pages.get(key) ?? { title: pageTitle(key), path: prefix + key, hasText: false, hasPages: false };
    pages.set(key, { ...page, hasText: page.hasText || isPage, hasPages: page.hasPages || isFolder });
  }
  const places = new Map(order.split(/\r?\n/).map((line, index) => [line.trim(), index]));
  const place = (key: string) => places.get(key) ?? Number.MAX_SAFE_INTEGER;
  return [...pages]
    .toSorted(([one], [other]) => place(one) - place(other) || one.localeCompare(other))
    .map(([, page]) => page);
}

/** The path of a file that a page names, within the repository: `/` begins at the wiki's top. `undefined` where it leaves the wiki. */
export function resolvePath(top: string, page: string, target: string, decode = decodeURIComponent): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith("//") || target.startsWith("#") || target === "") return undefined;
  let path = target.split(/[?#]/)[0] ?? "";
  try {
    path = decode(path);
  } catch {
    // It is taken as it is written.
  }
  const folder = page.split("/").slice(0, -1);
  const steps = path.startsWith("/") ? top.split("/") : folder;
  const result = steps.filter((step) => step !== "");
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") result.push(step);
    else if (result.pop() === undefined) return undefined;
  }
  return result.join("/");
}

/** The page that a link in a page leads to, without `.md`. Names of pages are written as their files are: encoded, with dashes for spaces. */
export function resolvePage(top: string, page: string, target: string): string | undefined {
  const path = resolvePath(top, page, target, (written) => written.replaceAll(/%20| /g, "-"));
  return path?.toLowerCase().endsWith(PAGE) ? path.slice(0, -PAGE.length) : path;
}

/** What the wiki's Markdown has beyond others': sizes of images, tables of contents, diagrams, which are shown as their text. */
export function plainMarkdown(text: string): string {
  return text
    .replaceAll(/(!\[[^\]\n]*\]\([^)\s]+)\s+=\d*%?x\d*%?(\s*\))/g, "$1$2")
    .replaceAll(/^[ \t]*\[\[_(?:TOC|TOSP)_\]\][ \t]*$/gm, "")
    .replaceAll(/^:::[ \t]*mermaid[ \t]*$([\s\S]*?)^:::[ \t]*$/gm, "```mermaid$1```")
    // Blanks in addresses, which only the wiki itself allows.
    .replaceAll(/(!\[[^\]\n]*\]\()([^)<>\n]*? [^)<>\n]*?)\)/g, (whole, head: string, address: string) => (address.includes('"') ? whole : `${head}<${address}>)`));
}
