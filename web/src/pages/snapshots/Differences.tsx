import { Caption1, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import type { Column } from "../../components/DataTable";
import { useKindTitle } from "../../components/kinds";
import { type Pages, Rows } from "../../components/Listing";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { NUMBERED } from "../browse/order";
import { entryOf } from "../browse/ItemList";
import type { SnapshotDetail } from "../browse/snapshot";
import { Ways } from "../browse/Ways";
import { binRemark } from "./change";
import "../browse/texts";

export type Change = Schemas["ChangeView"];

const TONES: Record<string, Tone> = { added: "good", changed: "neutral", removed: "bad" };

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS },
});

interface Props {
  items: Change[];
  earlier: SnapshotDetail;
  later: SnapshotDetail;
  list: Pages;
}

const keyOf = ({ kind, scope, id }: Change) => `${kind}/${scope}/${id}`;

/** Items that differ. What is selected can be restored as it was in the earlier snapshot. */
export function Differences({ items, earlier, later, list }: Props) {
  const styles = useStyles();
  const t = useTexts("snapshots");
  const title = useKindTitle();
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const before = items.flatMap((item) => (selected.has(keyOf(item)) && item.before ? [item.before] : []));
  const columns: Column<Change>[] = [
    {
      key: "change",
      title: t("change"),
      width: 120,
      cell: ({ change }) => <StatusBadge tone={TONES[change] ?? "neutral"}>{t(`changeOf.${change}`, { defaultValue: change })}</StatusBadge>,
    },
    { key: "kind", title: t("kind"), cell: ({ kind }) => title(kind) },
    {
      key: "item",
      title: t("item"),
      grow: 4,
      cell: ({ kind, id, before: was, after: is }) => (
        <TextLink
          to="/snapshots/$id/item/$kind/$item"
          params={{ id: is ? later.id : earlier.id, kind, item: id }}
          {...(was && is && { search: { tab: "versions", from: earlier.id, to: later.id } })}
        >
          <span dir="auto">
            {NUMBERED.has(kind) ? `${id} · ` : ""}
            {(is ?? was)?.name ?? id}
          </span>
        </TextLink>
      ),
    },
    { key: "remark", title: t("remark"), grow: 3, cell: (change) => <Remark change={change} /> },
  ];
  return (
    <>
      <div className={styles.bar} role="group" aria-label={t("selected", { count: selected.size })}>
        <Ways snapshot={earlier} entries={before.map(entryOf)} />
        <Caption1 role="status">{selected.size === 0 ? t("restoreHint") : t("selected", { count: selected.size })}</Caption1>
      </div>
      <Rows
        label={t("differences")}
        items={items}
        columns={columns}
        id={keyOf}
        name={({ before: was, after: is, id }) => (is ?? was)?.name ?? id}
        selected={selected}
        onSelect={select}
        list={list}
      />
    </>
  );
}

function Remark({ change: { before, after } }: { change: Change }) {
  const t = useTexts("snapshots");
  const bin = binRemark(before, after);
  const remarks = [
    ...(before && after && before.name !== after.name ? [t("renamed", { name: before.name })] : []),
    ...(bin ? [t(`bin.${bin}`)] : []),
  ];
  return <span dir="auto">{remarks.join(", ")}</span>;
}
