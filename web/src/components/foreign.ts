import createPurifier, { type Config } from "dompurify";
import { webAddress } from "./address";
import { hasUnseen, partsOf, shown } from "./unseen";

/** Where links and images of a text lead; `undefined` for those that are not to be followed or shown. */
export interface Places {
  /** The address of a stored image. Nothing is ever loaded from elsewhere. */
  image?: (source: string) => string | undefined;
  /** A place inside the console that stands for a foreign address. */
  link?: (address: string) => string | undefined;
}

export interface Cleansed {
  html: string;
  /** Images that are not in the snapshot, by where they would have been loaded from. */
  blocked: string[];
}

const TAGS =
  "a abbr b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img input ins kbd label li mark ol p pre q s samp small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var";
const ATTRIBUTES = "align alt checked colspan datetime dir disabled height href rowspan src start title type valign width";

const CONFIG: Config = {
  ALLOWED_TAGS: TAGS.split(" "),
  ALLOWED_ATTR: ATTRIBUTES.split(" "),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // Attributes of ours are set by the hook, after the check of names.
  ALLOWED_URI_REGEXP: /./,
};

const PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,/i;

/** Who would be asked for an image, for people. */
function asked(source: string): string {
  return webAddress(source)?.host ?? source.slice(0, 80);
}

function tendLink(link: Element, places: Places) {
  const address = link.getAttribute("href");
  if (address === null) return;
  const inside = places.link?.(address);
  if (inside !== undefined) {
    link.setAttribute("href", inside);
    link.setAttribute("data-inside", "");
    return;
  }
  const url = webAddress(address);
  if (!url) {
    link.removeAttribute("href");
    return;
  }
  link.setAttribute("href", url.href);
  link.setAttribute("rel", "noreferrer noopener");
  link.setAttribute("target", "_blank");
  link.setAttribute("title", url.href);
  // The text of a link may say anything: the host is shown where the text does not name it.
  if (!(link.textContent ?? "").includes(url.host)) link.setAttribute("data-host", url.host);
}

function tendImage(image: Element, places: Places, blocked: string[]) {
  const source = image.getAttribute("src") ?? "";
  const place = PICTURE.test(source) ? source : places.image?.(source);
  if (!image.hasAttribute("alt")) image.setAttribute("alt", "");
  if (place !== undefined) {
    image.setAttribute("src", place);
    image.setAttribute("loading", "lazy");
    return;
  }
  image.removeAttribute("src");
  blocked.push(asked(source));
}

/**
 * Foreign HTML as it may stand in the page: no scripts, handlers, styles, forms or frames; links lead into the web and say where;
 * images come out of the snapshot or are left out. Needs a browser's document.
 */
export function cleanse(html: string, places: Places = {}): Cleansed {
  const blocked: string[] = [];
  const purifier = createPurifier(window);
  purifier.addHook("afterSanitizeAttributes", (node) => {
    if (node.nodeName === "A") tendLink(node, places);
    else if (node.nodeName === "IMG") tendImage(node, places, blocked);
    else if (node.nodeName === "INPUT") tendBox(node);
    else for (const name of ["href", "src"]) node.removeAttribute(name);
  });
  const clean = purifier.sanitize(html, { ...CONFIG, RETURN_DOM: true }) as HTMLElement;
  markUnseen(clean);
  return { html: clean.innerHTML, blocked };
}

/** What cannot be seen in a text stands in it by its code. */
function markUnseen(body: HTMLElement) {
  const { ownerDocument } = body;
  const walker = ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts: Node[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const words = text.nodeValue ?? "";
    if (!hasUnseen(words)) continue;
    const marked = partsOf(words).map((part) => {
      if ("text" in part) return part.text;
      const mark = ownerDocument.createElement("span");
      mark.setAttribute("data-unseen", "");
      mark.textContent = `<${part.code}>`;
      return mark;
    });
    (text as ChildNode).replaceWith(...marked);
  }
  for (const element of body.querySelectorAll("[alt], [title]")) {
    for (const name of ["alt", "title"]) {
      const words = element.getAttribute(name);
      if (words !== null) element.setAttribute(name, shown(words));
    }
  }
}

/** Task lists of Markdown are boxes that nobody can tick here; other inputs have no business in a text. */
function tendBox(box: Element) {
  if (box.getAttribute("type") === "checkbox") {
    box.setAttribute("disabled", "");
    box.setAttribute("aria-label", "task");
  } else {
    box.remove();
  }
}
