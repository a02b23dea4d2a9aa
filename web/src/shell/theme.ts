import { webDarkTheme, webLightTheme, type Theme } from "@fluentui/react-components";
import { useSyncExternalStore } from "react";

/** What the person chose; `system` follows the machine. */
export type Choice = "system" | "light" | "dark";

const KEY = "keepward.theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

function chosen(): Choice {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

function isDark(): boolean {
  const choice = chosen();
  return choice === "dark" || (choice === "system" && dark.matches);
}

export function choose(choice: Choice) {
  localStorage.setItem(KEY, choice);
  for (const tell of watchers) tell();
}

function subscribe(tell: () => void) {
  watchers.add(tell);
  dark.addEventListener("change", tell);
  return () => {
    watchers.delete(tell);
    dark.removeEventListener("change", tell);
  };
}

export function useTheme(): { theme: Theme; dark: boolean; choice: Choice } {
  const now = useSyncExternalStore(subscribe, isDark);
  const choice = useSyncExternalStore(subscribe, chosen);
  return { theme: now ? webDarkTheme : webLightTheme, dark: now, choice };
}
