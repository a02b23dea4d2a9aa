import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

type Search = Record<string, string | undefined>;

/**
 * What the page shows, kept in its address: `?state=failed`. Setting a member to `undefined` or an empty text removes it. With `"push"` the
 * browser's way back leads to what was shown before.
 */
export function useShown(): [Search, (change: Search, how?: "replace" | "push") => void] {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const set = useCallback(
    (change: Search, how: "replace" | "push" = "replace") => {
      const merged = (before: Record<string, unknown>) =>
        Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== undefined && value !== ""));
      // The page stays where it is: only what it shows is another.
      void navigate({ to: ".", search: merged, replace: how === "replace", resetScroll: false });
    },
    [navigate],
  );
  // The router reads `?q=12` as a number.
  const shown = Object.entries(search).map(([key, value]) => [key, value === undefined ? undefined : String(value)]);
  return [Object.fromEntries(shown) as Search, set];
}
