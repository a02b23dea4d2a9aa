import { Button } from "@fluentui/react-components";
import { ArrowSyncRegular } from "@fluentui/react-icons";
import { ConnectorFilter } from "../../components/ConnectorFilter";
import type { Column } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { bytes, count, duration } from "../../components/format";
import { Listing } from "../../components/Listing";
import { useNow } from "../../components/now";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { RunState } from "./RunState";
import { changes, KINDS, type Run, seconds, STATES } from "./standing";
import { useRunWords } from "./words";
import "./texts";

/** Every run, the newest first. The address holds the filter. */
export function Runs() {
  const t = useTexts("runs");
  const [shown, show] = useShown();
  const { connector, kind, state } = shown;
  const words = useRunWords();
  const now = useNow();
  const runs = usePaged("/runs", { query: { ...(connector && { connector }), ...(kind && { kind }), ...(state && { state }) } });
  const filtered = Boolean(connector || kind || state);
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters>
        <ConnectorFilter label={t("filter.connector")} />
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
      <Listing
        list={runs}
        label={t("list")}
        empty={<NoRuns filtered={filtered} onAll={() => show({ connector: undefined, kind: undefined, state: undefined })} />}
        id={(run) => run.id}
        columns={columns(t, words, now)}
      />
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
