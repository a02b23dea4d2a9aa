import { Button, Caption1, Field, makeStyles, SearchBox, tokens } from "@fluentui/react-components";
import { useMemo, useState } from "react";
import type { Schemas } from "../../api/client";
import type { Column } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { bytes, when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { type Pages, Rows } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { useSettled } from "../../components/settled";
import { TextLink } from "../../components/TextLink";
import { useWhole } from "../../components/whole";
import { useTexts } from "../../texts";
import type { Entry } from "../restore/basket";
import { FIXED } from "./content";
import { inOrder, NUMBERED } from "./order";
import { useProjects } from "./projects";
import type { SnapshotDetail } from "./snapshot";
import { RestoreAll, Ways } from "./Ways";

export type Item = Schemas["ItemView"];

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, padding: 0 },
  name: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, alignItems: "center" },
});

/** Lists up to this length are read whole, and shown in the order in which people look. */
const ORDERED = 5_000;
/** What is read at first. */
const FIRST = 100;
/** Kinds whose items lie in a project. */
const IN_PROJECTS = new Set(["team", "area", "iteration"]);
/** Kinds that the service keeps in a recycle bin. */
const BINNED = new Set(["work-item"]);

export function entryOf({ kind, id, name, path }: Pick<Item, "kind" | "id" | "name" | "path">): Entry {
  return kind === "project" ? { type: "project", project: id, name } : { type: "item", kind, item: id, name, path };
}

/** The items of one kind, filtered by the address. */
export function ItemList({ snapshot, kind }: { snapshot: SnapshotDetail; kind: string }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const [shown, show] = useShown();
  const { project, name, binned } = shown;
  const words = useSettled(name);
  const projects = useProjects(snapshot, IN_PROJECTS.has(kind));
  // What lies in the recycle bin is looked for by name: texts are searched over all.
  const looked = binned === undefined ? "q" : "name";
  const query = {
    kind,
    limit: FIRST,
    ...(project && { project }),
    ...(words && { [looked]: words }),
    ...(binned && { binned: binned === "yes" }),
  };
  const items = usePaged("/snapshots/{id}/items", { path: { id: snapshot.id }, query }, { more: 1_000, ...FIXED });
  const filtered = Boolean(project || name || binned);
  // What is found by words comes with the best first.
  const orderly = !words || looked === "name";
  const few = (snapshot.kinds[kind]?.items ?? 0) <= ORDERED;
  const whole = useWhole(items, ORDERED, orderly && few);
  const reading = orderly && few && !whole && (items.items?.length ?? 0) < ORDERED;
  // A longer list is not turned around under whoever scrolled to its end.
  const sorted = orderly && whole && (items.items?.length ?? 0) <= (few ? ORDERED : FIRST);
  const ordered = useMemo(() => (sorted ? inOrder(items.items ?? []) : items.items), [sorted, items.items]);
  return (
    <Section title={title(kind)}>
      <Filters>
        <Field label={t(looked === "q" ? "words" : "wordsInName")}>
          <SearchBox value={name ?? ""} onChange={(_, { value }) => show({ name: value })} />
        </Field>
        {BINNED.has(kind) && (
          <FilterSelect
            label={t("bin")}
            value={binned}
            options={[
              { value: "yes", title: t("binned") },
              { value: "no", title: t("notBinned") },
            ]}
            onChange={(value) => show({ binned: value })}
          />
        )}
      </Filters>
      <Loaded query={{ ...items, data: reading ? undefined : ordered }}>
        {(listed) =>
          listed.length === 0 ? (
            <None filtered={filtered} onAll={() => show({ project: undefined, name: undefined, binned: undefined })} />
          ) : (
            <Table
              snapshot={snapshot}
              kind={kind}
              items={listed}
              projectName={projects.name}
              whole={!filtered}
              asTexts={orderly && !sorted}
              list={items}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function None({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  const t = useTexts("browse");
  if (!filtered) return <Empty title={t("none")}>{t("noneHint")}</Empty>;
  return (
    <Empty title={t("noneFiltered")} action={<Button onClick={onAll}>{t("showAll")}</Button>}>
      {t("noneFilteredHint")}
    </Empty>
  );
}

interface TableProps {
  snapshot: SnapshotDetail;
  kind: string;
  items: Item[];
  projectName: (id: string) => string;
  /** All of the kind is listed. */
  whole: boolean;
  /** They stand as the server has them: in the order of their ids as texts. */
  asTexts: boolean;
  list: Pages;
}

const keyOf = ({ scope, id }: Item) => `${scope}/${id}`;

function Table({ snapshot, kind, items, projectName, whole, asTexts, list }: TableProps) {
  const styles = useStyles();
  const t = useTexts("browse");
  const title = useKindTitle();
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const chosen = items.filter((item) => selected.has(keyOf(item)));
  const numbered = NUMBERED.has(kind);
  // Of many kinds nothing says when an item was changed.
  const dated = items.some(({ modified }) => modified);
  const columns: Column<Item>[] = [
    ...(numbered ? [{ key: "id", title: t(asTexts ? "numberAsText" : "number"), width: asTexts ? 120 : 88, cell: ({ id }: Item) => id }] : []),
    {
      key: "name",
      title: t("name"),
      grow: 4,
      cell: ({ id, name, binned }) => (
        <span className={styles.name}>
          <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot.id, kind, item: id }}>
            <span dir="auto">{name || id}</span>
          </TextLink>
          {binned && <StatusBadge tone="warning">{t("inBin")}</StatusBadge>}
        </span>
      ),
    },
    ...(IN_PROJECTS.has(kind) ? [{ key: "scope", title: t("project"), grow: 2, minor: true, cell: ({ scope }: Item) => projectName(scope) }] : []),
    ...(dated ? [{ key: "modified", title: t("changed"), width: 190, minor: true, cell: ({ modified }: Item) => (modified ? when(modified) : "") }] : []),
    { key: "size", title: t("size"), width: 100, minor: true, cell: ({ size }) => bytes(size) },
  ];
  return (
    <>
      <div role="group" className={styles.bar} aria-label={t("selected", { count: chosen.length })}>
        <Ways snapshot={snapshot} entries={chosen.map(entryOf)} />
        {whole && <RestoreAll snapshot={snapshot} entry={{ type: "kind", kind }} />}
        <Caption1 role="status">{t("selected", { count: chosen.length })}</Caption1>
      </div>
      {asTexts && <Caption1>{t(numbered ? "asTexts" : "asIds")}</Caption1>}
      <Rows
        label={t("list", { kind: title(kind) })}
        items={items}
        columns={columns}
        id={keyOf}
        name={({ name, id }) => name || id}
        selected={selected}
        onSelect={select}
        list={list}
      />
    </>
  );
}
