import type { ReactNode } from "react";

/** A table that scrolls sideways where there is no room for it; its label names it for the keyboard's sake. */
export function Scroll({ label, width, children }: { label: string; width: number; children: ReactNode }) {
  return (
    <div style={{ overflowX: "auto" }} tabIndex={0} role="group" aria-label={label}>
      <div style={{ minWidth: `${width}px` }}>{children}</div>
    </div>
  );
}
