import { when } from "../../components/format";
import { webAddress } from "../../components/address";
import { OutLink } from "../../components/Outside";
import { useTexts } from "../../texts";
import { FieldTable } from "./FieldTable";
import type { ViewProps } from "./item";
import { rowsOf } from "./rows";
import { Damaged } from "./WorkItemForm";

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/** An item's document as a form: what the service says of it, without the service's own plumbing. */
export function Details({ document }: ViewProps) {
  const t = useTexts("browse");
  if (!document) return <Damaged />;
  return <FieldTable label={t("item.details")} rows={rowsOf(document).map(({ value, ...row }) => ({ ...row, value: <Value value={value} /> }))} />;
}

function Value({ value }: { value: string }) {
  if (webAddress(value)) return <OutLink to={value}>{value}</OutLink>;
  if (TIME.test(value) && !Number.isNaN(Date.parse(value))) return <time dateTime={value}>{when(value)}</time>;
  return <span dir="auto">{value}</span>;
}
