import { Button, Checkbox, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, useEffect, useRef, type ReactNode } from "react";
import { useTexts } from "../texts";

const ROW = 44;
const NARROW = "@media (max-width: 639px)";
/** What a column of share 1 needs at least, in pixels. One that is given more where there is room does with half as much again. */
const LEAST = 104;
const MOST = 1.5;

const useStyles = makeStyles({
  frame: {
    overflow: "auto",
    maxHeight: "max(320px, calc(100vh - 260px))",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  table: { minWidth: "var(--wide)", [NARROW]: { minWidth: 0 } },
  row: {
    display: "flex",
    alignItems: "center",
    // Where columns have no room their cells stand one below another.
    [NARROW]: { display: "grid", gridTemplateColumns: "auto minmax(0, 1fr)", paddingBlock: tokens.spacingVerticalXS },
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
  cell: {
    padding: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalS}`,
    minWidth: 0,
    overflowWrap: "anywhere",
    flex: "var(--share) var(--share) 0",
    [NARROW]: { gridColumn: 2, "&:has(> :last-child:empty)": { display: "none" } },
  },
  fixed: { flex: "0 0 var(--width)" },
  check: { width: "44px", flexShrink: 0, [NARROW]: { gridColumn: 1, gridRow: "1 / span 20" } },
  checkAll: { [NARROW]: { width: "auto" } },
  narrowOnly: { display: "none", [NARROW]: { display: "inline", whiteSpace: "nowrap" } },
  wideOnly: { [NARROW]: { display: "none" } },
  title: { display: "none", [NARROW]: { display: "block", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 } },
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
  return `${columns.reduce((sum, { grow = 1, width }) => sum + (width ?? Math.min(grow, MOST) * LEAST), 0)}px`;
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
export function DataTable<Item>(props: TableProps<Item>) {
  const { label, items, columns, id, more, onMore } = props;
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
  const widths = { "--wide": least(columns) } as CSSProperties;
  return (
    <div className={styles.frame} ref={frame} tabIndex={0} role="region" aria-label={label}>
      <div className={styles.table} style={widths} role="table" aria-label={label} aria-rowcount={more ? -1 : items.length + 1}>
        <Head {...props} />
        <div role="rowgroup" className={styles.body} style={{ height: rows.getTotalSize() }}>
          {seen.map(({ index, start }) => {
            const item = items[index] as Item;
            return <Row key={id(item)} {...props} item={item} index={index} start={start} measure={rows.measureElement} />;
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

/** What a cell is given by its column. */
function useCell() {
  const styles = useStyles();
  return <Item,>({ key, minor, grow = 1, width }: Column<Item>) => ({
    key,
    className: mergeClasses(styles.cell, width !== undefined && styles.fixed, minor && styles.wideOnly),
    style: { "--share": grow, "--width": width === undefined ? undefined : `${width}px` } as CSSProperties,
  });
}

function Head<Item>({ items, columns, id, more, selected, onSelect }: TableProps<Item>) {
  const styles = useStyles();
  const t = useTexts();
  const cell = useCell();
  // What the server has beyond these rows is not chosen with them.
  const choice = t(more ? "action.selectLoaded" : "action.selectAll");
  const all = onSelect !== undefined && items.length > 0 && items.every((item) => selected?.has(id(item)));
  return (
    <div role="rowgroup" className={mergeClasses(styles.head, onSelect === undefined && styles.wideOnly)}>
      <div className={styles.row} role="row" aria-rowindex={1}>
        {onSelect && (
          <div className={mergeClasses(styles.check, styles.checkAll)} role="columnheader" aria-label={t("action.select")}>
            <Checkbox
              aria-label={choice}
              label={<span className={styles.narrowOnly}>{choice}</span>}
              checked={all || (selected !== undefined && selected.size > 0 ? "mixed" : false)}
              onChange={(_, { checked }) => onSelect(new Set(checked === true ? items.map(id) : []))}
            />
          </div>
        )}
        {columns.map((column) => {
          const { key, ...look } = cell(column);
          return (
            <div key={key} {...look} className={mergeClasses(look.className, styles.wideOnly)} role="columnheader">
              {column.title}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface RowProps<Item> extends TableProps<Item> {
  item: Item;
  index: number;
  /** Where it begins, in pixels. */
  start: number;
  /** Learns how high it is. */
  measure: (element: Element | null) => void;
}

function Row<Item>({ item, index, start, measure, columns, id, name, selected, onSelect }: RowProps<Item>) {
  const styles = useStyles();
  const t = useTexts();
  const cell = useCell();
  const own = id(item);
  const toggle = (on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(own);
    else next.delete(own);
    onSelect?.(next);
  };
  return (
    <div
      ref={measure}
      data-index={index}
      role="row"
      aria-rowindex={index + 2}
      className={mergeClasses(styles.row, styles.placed, styles.opened)}
      style={{ transform: `translateY(${start}px)` }}
    >
      {onSelect && (
        <div className={styles.check} role="cell">
          <Checkbox
            aria-label={`${t("action.select")} ${name?.(item) ?? own}`}
            checked={selected?.has(own) ?? false}
            onChange={(_, { checked }) => toggle(checked === true)}
          />
        </div>
      )}
      {columns.map((column) => {
        const { key, ...look } = cell(column);
        return (
          <div key={key} {...look} role="cell">
            <div className={styles.title} aria-hidden>
              {column.title}
            </div>
            <div>{column.cell(item)}</div>
          </div>
        );
      })}
    </div>
  );
}
