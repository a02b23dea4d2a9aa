import { useTexts } from "../../texts";
import { FieldTable } from "./FieldTable";
import type { ViewProps } from "./item";
import { rowsOf } from "./rows";
import { Value } from "./Value";
import { Damaged } from "./WorkItemForm";

/** An item's document as a form: what the service says of it, without the service's own plumbing. */
export function Details({ document }: ViewProps) {
  const t = useTexts("browse");
  if (!document) return <Damaged />;
  return <FieldTable label={t("item.details")} rows={rowsOf(document).map(({ value, ...row }) => ({ ...row, value: <Value value={value} /> }))} />;
}
