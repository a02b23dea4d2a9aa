import { useEffect, useState } from "react";

/** The part of the page that changes, and its heading, by their ids. */
export const MAIN = "main";
export const TITLE = "page-title";

/** After a way to another page: whoever goes by keyboard or ear begins where the page does, unless the page itself set the focus. */
export function focusPage() {
  const main = document.getElementById(MAIN);
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

/** For a dialog that is mounted to open it: when it closes, the keyboard is where it was before. */
export function useFocusBack() {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // The dialog keeps the keyboard until it is gone from the document.
      requestAnimationFrame(() => {
        if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus();
      });
    },
    [before],
  );
}
