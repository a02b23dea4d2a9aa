import { makeStyles } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTexts } from "../texts";
import { DataTable, type TableProps } from "./DataTable";
import { Failed, Loaded } from "./State";

const useStyles = makeStyles({
  unseen: { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap" },
});

/** How a list is read on; without pages there is nothing to read. */
export interface Pages {
  error: unknown;
  hasNextPage?: boolean;
  isFetchingNextPage?: boolean;
  isFetchNextPageError?: boolean;
  fetchNextPage?: () => unknown;
}

interface List<Item> extends Pages {
  data: { items: Item[] } | undefined;
  isPending: boolean;
  refetch: () => unknown;
}

type Table<Item> = Omit<TableProps<Item>, "more" | "onMore">;

/** The rows that were read of a list; what follows is read when their end comes into sight. */
export function Rows<Item>({ list, ...table }: Table<Item> & { list: Pages }) {
  const { hasNextPage = false, isFetchingNextPage, isFetchNextPageError = false, fetchNextPage } = list;
  return (
    <>
      <DataTable
        {...table}
        // A page that was refused is not asked for again by itself.
        more={hasNextPage && !isFetchNextPageError}
        onMore={() => !isFetchingNextPage && void fetchNextPage?.()}
      />
      {isFetchNextPageError && <Failed error={list.error} retry={() => void fetchNextPage?.()} />}
    </>
  );
}

interface Props<Item> extends Omit<Table<Item>, "items"> {
  list: List<Item>;
  /** Which of the items are rows, where that is not for the server to say. */
  shown?: (items: Item[]) => Item[];
  /** What stands in the table's place when it has no row. */
  empty: ReactNode;
}

/** A list of the API as a table with its states. */
export function Listing<Item>({ list, shown = (items) => items, empty, ...table }: Props<Item>) {
  const t = useTexts();
  const styles = useStyles();
  const { hasNextPage } = list;
  const rows = list.data && shown(list.data.items);
  return (
    <>
      {/* Whoever does not see the table hears what a filter left of it. */}
      <span aria-live="polite" className={styles.unseen}>
        {rows && t(hasNextPage ? "list.more" : "list.rows", { count: rows.length })}
      </span>
      <Loaded query={{ ...list, data: rows }}>
        {(items) => (items.length === 0 && !hasNextPage ? empty : <Rows {...table} list={list} items={items} />)}
      </Loaded>
    </>
  );
}
