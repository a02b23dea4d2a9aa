import { queries } from "../api/queries";

/** The part of the page that changes, and its heading, by their ids. */
export const MAIN = "main";
export const TITLE = "page-title";

/** After a way to another page: whoever goes by keyboard or ear begins where the page does, unless the page itself set the focus. */
export function focusPage() {
  const main = document.getElementById(MAIN);
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

/** What the Tab key stops at. Fluent sets stops of its own around what lies over the page: nothing is there. */
const STOPS = ":is(a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]):not([tabindex='-1'], [data-tabster-dummy])";

function stopsIn(part: Element): HTMLElement[] {
  return [...part.querySelectorAll<HTMLElement>(STOPS)].filter((stop) => stop.checkVisibility());
}

/** Where the keyboard was. */
interface Place {
  element: HTMLElement;
  /** The page, or a dialog or menu over it: a child of the document's body. */
  layer: Element;
  /** What it stood in, from the inside to the outside. */
  around: HTMLElement[];
  /** The stops before it, the nearest first. */
  before: HTMLElement[];
}

function placeOf(element: HTMLElement): Place | undefined {
  const around: HTMLElement[] = [];
  for (let part = element.parentElement; part && part !== document.body; part = part.parentElement) around.push(part);
  const layer = around.at(-1);
  if (!layer) return undefined;
  const before = stopsIn(layer).filter((stop) => element.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_PRECEDING);
  return { element, layer, around, before: before.toReversed() };
}

/**
 * What stands there now: the same, or else what came instead of it or stood behind it, in the closest part that is still there. What is disabled
 * while something is written comes back.
 */
function standsAt({ element, around, before }: Place): HTMLElement | undefined {
  if (element.isConnected && (!element.matches(":disabled") || queries.isMutating() > 0)) return element;
  const part = around.find(({ isConnected }) => isConnected);
  if (!part || part.contains(document.getElementById(MAIN))) return undefined;
  const stops = stopsIn(part);
  const last = before.map((stop) => stops.indexOf(stop)).find((index) => index >= 0) ?? -1;
  const stop = stops[last + 1] ?? stops[last];
  if (stop || !part.textContent) return stop;
  part.tabIndex = -1;
  return part;
}

/** The last place in each layer, that of the uppermost layer last. */
let places: Place[] = [];
let giving = false;

/** The keyboard goes back to where it was, if what had it is gone. */
function give() {
  if (places.length === 0 || document.activeElement !== document.body) return;
  places = places.filter(({ layer }) => layer.isConnected);
  const target = places.toReversed().map(standsAt).find((one) => one !== undefined);
  // It is still the same place: what was there may come back, as it does when a dialog is closed that took its opener away.
  giving = true;
  if (target) target.focus({ preventScroll: target.tabIndex < 0 });
  else focusPage();
  giving = false;
}

/**
 * Watches the whole document, for good: nobody who goes by keyboard or ear is ever thrown back to its beginning because
 * what they stood on went away: a dialog, a menu, a button that has done its work.
 */
export function keepFocus() {
  document.addEventListener("focusin", ({ target }) => {
    const place = !giving && target instanceof HTMLElement && placeOf(target);
    if (place) places = [...places.filter(({ layer }) => layer !== place.layer), place];
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (relatedTarget || !(target instanceof HTMLElement)) return;
    // Browsers say the same of what goes away or is disabled, before it does.
    queueMicrotask(() => {
      const left = target.isConnected && !target.matches(":disabled") && document.activeElement === document.body;
      if (left) places = [];
    });
  });
  new MutationObserver(give).observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
}
