import { makeStyles, tokens } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

const LINE = 20;

const useStyles = makeStyles({
  frame: {
    overflow: "auto",
    maxHeight: "max(320px, calc(100vh - 320px))",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    lineHeight: `${LINE}px`,
  },
  body: { position: "relative", minWidth: "max-content" },
  line: { position: "absolute", left: 0, display: "flex", whiteSpace: "pre", minWidth: "100%" },
  number: {
    position: "sticky",
    left: 0,
    flexShrink: 0,
    boxSizing: "border-box",
    width: "64px",
    paddingRight: tokens.spacingHorizontalM,
    textAlign: "end",
    userSelect: "none",
    color: tokens.colorNeutralForeground3,
    backgroundColor: tokens.colorNeutralBackground2,
  },
  text: { paddingLeft: tokens.spacingHorizontalM, paddingRight: tokens.spacingHorizontalM, tabSize: 4 },
});

/** A text of any length with the numbers of its lines: only those in sight are in the document. */
export function FileText({ lines, label }: { lines: string[]; label: string }) {
  const styles = useStyles();
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => frame.current, estimateSize: () => LINE, overscan: 40 });
  // The longest line gives the width, since most are not in the document.
  const widest = lines.reduce((most, line) => Math.max(most, line.length), 0);
  return (
    <div className={styles.frame} ref={frame} tabIndex={0} role="region" aria-label={label}>
      <div className={styles.body} style={{ height: rows.getTotalSize(), width: `calc(96px + ${widest}ch)` }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          <div key={index} className={styles.line} style={{ transform: `translateY(${start}px)`, height: LINE }}>
            <span className={styles.number} aria-hidden>
              {index + 1}
            </span>
            <span className={styles.text}>{lines[index]}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
