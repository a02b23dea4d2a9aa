import { Button, Checkbox, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, useEffect, useRef, type ReactNode } from "react";
import { useTexts } from "../texts";

const ROW = 44;
const NARROW = "@media (max-width: 639px)";
/** What a column of share 1 needs at least. */
const LEAST = 88;

const useStyles = makeStyles({
  frame: {
    overflow: "auto",
    maxHeight: "max(320px, calc(100vh - 260px))",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  table: { minWidth: "var(--wide)", [NARROW]: { minWidth: "var(--narrow)" } },
  row: {
    display: "flex",
    alignItems: "center",
    minHeight: `${ROW}px`,
    boxSizing: "border-box",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  body: { position: "relative" },
  placed: { position: "absolute", left: 0, right: 0 },
  opened: { ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover } },
  head: {
    position: "sticky",
    top: 0,
    zIndex: 1,
    backgroundColor: tokens.colorNeutralBackground2,
    fontWeight: tokens.fontWeightSemibold,
  },
  cell: { padding: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalS}`, minWidth: 0, overflowWrap: "anywhere" },
  check: { width: "44px", flexShrink: 0 },
  minor: { [NARROW]: { display: "none" } },
});

export interface Column<Item> {
  key: string;
  title: ReactNode;
  cell: (item: Item) => ReactNode;
  /** Share of the width; 1 without it. */
  grow?: number;
  /** Fixed width in pixels instead. */
  width?: number;
  /** Left out where there is little room. */
  minor?: boolean;
}

function least<Item>(columns: Column<Item>[]): string {
  return `${columns.reduce((sum, { grow = 1, width }) => sum + (width ?? grow * LEAST), 0)}px`;
}

export interface TableProps<Item> {
  /** What the table lists, for screen readers. */
  label: string;
  items: Item[];
  columns: Column<Item>[];
  id: (item: Item) => string;
  /** Names a row for screen readers; needed where rows can be selected. */
  name?: (item: Item) => string;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: Set<string>) => void;
  /** There is more at the server. */
  more?: boolean;
  onMore?: () => void;
}

/** A table of any length: only the rows in sight are in the document. */
export function DataTable<Item>({ label, items, columns, id, name, selected, onSelect, more, onMore }: TableProps<Item>) {
  const styles = useStyles();
  const t = useTexts();
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const seen = rows.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= items.length - 20) onMore?.();
  }, [more, last, items.length, onMore]);

  const toggle = (key: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(key);
    else next.delete(key);
    onSelect?.(next);
  };
  const size = ({ grow = 1, width }: Column<Item>) =>
    width === undefined ? { flex: `${grow} ${grow} 0` } : { width, flexShrink: 0 };
  const look = ({ minor }: Column<Item>) => mergeClasses(styles.cell, minor && styles.minor);
  const all = items.length > 0 && items.every((item) => selected?.has(id(item)));
  const total = more ? -1 : items.length + 1;

  return (
    <div className={styles.frame} ref={frame} tabIndex={0} role="region" aria-label={label}>
      <div
        className={styles.table}
        style={{ "--wide": least(columns), "--narrow": least(columns.filter(({ minor }) => !minor)) } as CSSProperties}
        role="table"
        aria-label={label}
        aria-rowcount={total}
      >
        <div role="rowgroup" className={styles.head}>
          <div className={styles.row} role="row" aria-rowindex={1}>
            {onSelect && (
              <div className={styles.check} role="columnheader" aria-label={t("action.select")}>
                <Checkbox
                  aria-label={t("action.select")}
                  checked={all || (selected !== undefined && selected.size > 0 ? "mixed" : false)}
                  onChange={(_, { checked }) => onSelect(new Set(checked === true ? items.map(id) : []))}
                />
              </div>
            )}
            {columns.map((column) => (
              <div key={column.key} className={look(column)} style={size(column)} role="columnheader">
                {column.title}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className={styles.body} style={{ height: rows.getTotalSize() }}>
          {seen.map((place) => {
            const item = items[place.index] as Item;
            const key = id(item);
            return (
              <div
                key={key}
                ref={rows.measureElement}
                data-index={place.index}
                role="row"
                aria-rowindex={place.index + 2}
                className={mergeClasses(styles.row, styles.placed, styles.opened)}
                style={{ transform: `translateY(${place.start}px)` }}
              >
                {onSelect && (
                  <div className={styles.check} role="cell">
                    <Checkbox
                      aria-label={`${t("action.select")} ${name?.(item) ?? key}`}
                      checked={selected?.has(key) ?? false}
                      onChange={(_, { checked }) => toggle(key, checked === true)}
                    />
                  </div>
                )}
                {columns.map((column) => (
                  <div key={column.key} className={look(column)} style={size(column)} role="cell">
                    {column.cell(item)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {more && (
        <Button appearance="subtle" onClick={onMore}>
          {t("action.loadMore")}
        </Button>
      )}
    </div>
  );
}
