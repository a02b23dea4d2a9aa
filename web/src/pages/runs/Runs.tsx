import { Button } from "@fluentui/react-components";
import { ArrowSyncRegular } from "@fluentui/react-icons";
import type { Schemas } from "../../api/client";
import { useAll } from "../../components/all";
import { type Column, DataTable } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { bytes, count, duration } from "../../components/format";
import { useNow } from "../../components/now";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Empty, Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import type { Run } from "./contract";
import { RunState } from "./RunState";
import { changes, KINDS, seconds, STATES } from "./standing";
import { useRunWords } from "./words";
import "./texts";

/** Every run, the newest first. The address holds the filter. */
export function Runs() {
  const t = useTexts("runs");
  const [shown, show] = useShown();
  const { connector, kind, state } = shown;
  const runs = usePaged<Run>("/runs", { ...(connector && { connector }), ...(kind && { kind }), ...(state && { state }) });
  const connectors = useAll<Schemas["ConnectorView"]>("/connectors").items ?? [];
  const filtered = Boolean(connector || kind || state);
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters>
        <FilterSelect
          label={t("filter.connector")}
          value={connector}
          options={connectors.map(({ name }) => ({ value: name, title: name }))}
          onChange={(value) => show({ connector: value })}
        />
        <FilterSelect
          label={t("filter.kind")}
          value={kind}
          options={KINDS.map((value) => ({ value, title: t(`kind.${value}`) }))}
          onChange={(value) => show({ kind: value })}
        />
        <FilterSelect
          label={t("filter.state")}
          value={state}
          options={STATES.map((value) => ({ value, title: t(`state.${value}`) }))}
          onChange={(value) => show({ state: value })}
        />
      </Filters>
      <Loaded query={{ ...runs, data: runs.items }}>
        {(items) =>
          items.length === 0 ? (
            <NoRuns filtered={filtered} onAll={() => show({ connector: undefined, kind: undefined, state: undefined })} />
          ) : (
            <List items={items} more={runs.hasNextPage} onMore={() => !runs.isFetchingNextPage && void runs.fetchNextPage()} />
          )
        }
      </Loaded>
    </Page>
  );
}

function NoRuns({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  const t = useTexts("runs");
  if (filtered) {
    return (
      <Empty title={t("noneFiltered")} action={<Button onClick={onAll}>{t("allRuns")}</Button>}>
        {t("noneFilteredHint")}
      </Empty>
    );
  }
  return (
    <Empty icon={<ArrowSyncRegular />} title={t("none")} action={<TextLink to="/connectors">{t("toConnectors")}</TextLink>}>
      {t("noneHint")}
    </Empty>
  );
}

type Words = ReturnType<typeof useRunWords>;

function columns(t: ReturnType<typeof useTexts>, words: Words, now: number): Column<Run>[] {
  return [
    { key: "state", title: t("column.state"), grow: 1.5, cell: (run) => <RunState run={run} short /> },
    {
      key: "what",
      title: t("column.what"),
      grow: 1.5,
      cell: (run) => (
        <TextLink to="/runs/$id" params={{ id: run.id }}>
          {words.title(run)}
        </TextLink>
      ),
    },
    { key: "why", minor: true, title: t("column.why"), grow: 2, cell: (run) => words.reason(run) },
    { key: "started", title: t("column.started"), cell: (run) => <Time at={run.created} /> },
    { key: "took", minor: true, title: t("column.took"), cell: (run) => duration(seconds(run, now)) },
    { key: "changes", minor: true, title: t("column.changes"), cell: (run) => count(changes(run)) },
    { key: "stored", minor: true, title: t("column.stored"), cell: (run) => bytes(run.counts.bytes_stored) },
  ];
}

function List({ items, more, onMore }: { items: Run[]; more: boolean; onMore: () => void }) {
  const t = useTexts("runs");
  const words = useRunWords();
  const now = useNow();
  return (
    <DataTable
      label={t("list")}
      items={items}
      columns={columns(t, words, now)}
      id={(run) => run.id}
      more={more}
      onMore={onMore}
    />
  );
}
