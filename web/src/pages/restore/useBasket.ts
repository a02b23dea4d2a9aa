import { useSyncExternalStore } from "react";
import { type Baskets, type Entry, type Origin, parseBaskets, withEntries, withoutBasket, withoutEntries } from "./basket";

const KEY = "keepward.basket";
const watchers = new Set<() => void>();
let baskets: Baskets = parseBaskets(sessionStorage.getItem(KEY));

function keep(next: Baskets) {
  baskets = next;
  for (const tell of watchers) tell();
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // More than the browser keeps: it lasts as long as this page, and what was kept before would be another selection.
    sessionStorage.removeItem(KEY);
  }
}

export function addToBasket(origin: Origin, entries: Entry[]) {
  keep(withEntries(baskets, origin, entries));
}

export function removeFromBasket(snapshot: string, keys: ReadonlySet<string>) {
  keep(withoutEntries(baskets, snapshot, keys));
}

export function dropBasket(snapshot: string) {
  keep(withoutBasket(baskets, snapshot));
}

/** Nothing of what one person chose stays for the next. */
export function dropAllBaskets() {
  keep({});
}

/** What lies in the baskets of this browser tab; it stays over pages and reloads. */
export function useBaskets(): Baskets {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => void watchers.delete(tell);
    },
    () => baskets,
  );
}
