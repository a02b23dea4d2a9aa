import { Button } from "@fluentui/react-components";
import { CheckmarkCircleRegular } from "@fluentui/react-icons";
import { useAll } from "../../components/all";
import { ConnectorFilter } from "../../components/ConnectorFilter";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { useKindTitle } from "../../components/kinds";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Empty, Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { filtered, type Row, type Seen } from "./group";
import { IssueGroups } from "./IssueGroups";
import { MoreIssues } from "./MoreIssues";
import "./texts";

const SEEN: Seen[] = ["open", "acknowledged", "all"];

function seenOf(text: string | undefined): Seen {
  return SEEN.find((one) => one === text) ?? "open";
}

/** What backups could not read, over all runs. */
export function Issues() {
  const t = useTexts("issues");
  const title = useKindTitle();
  const [shown, show] = useShown();
  const seen = seenOf(shown["seen"]);
  const { connector } = shown;
  const issues = useAll("/issues", { query: connector ? { connector } : {} });
  const kinds = [...new Set((issues.items ?? []).map(({ kind }) => kind))].filter(Boolean).toSorted();
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters>
        <ConnectorFilter label={t("filter.connector")} />
        <FilterSelect
          label={t("filter.kind")}
          value={shown["kind"]}
          options={kinds.map((kind) => ({ value: kind, title: title(kind) }))}
          onChange={(value) => show({ kind: value })}
        />
        <FilterSelect
          label={t("filter.seen")}
          value={seen === "all" ? undefined : seen}
          options={SEEN.filter((one) => one !== "all").map((value) => ({ value, title: t(`seen.${value}`) }))}
          onChange={(value) => show({ seen: value === "open" ? undefined : (value ?? "all") })}
        />
      </Filters>
      <Loaded query={issues}>
        {({ items }) => (
          <>
            <Shown
              all={items}
              rows={filtered(items, seen, shown["kind"], shown["code"])}
              seen={seen}
              onAll={() => show({ seen: "all", kind: undefined, code: undefined })}
            />
            <MoreIssues list={issues} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Shown({ all, rows, seen, onAll }: { all: Row[]; rows: Row[]; seen: Seen; onAll: () => void }) {
  const t = useTexts("issues");
  if (rows.length > 0) return <IssueGroups rows={rows} />;
  if (all.length === 0) {
    return (
      <Empty icon={<CheckmarkCircleRegular />} title={t("none")}>
        {t("noneHint")}
      </Empty>
    );
  }
  const seenAll = seen === "open" && all.every((row) => row.acknowledged);
  return (
    <Empty
      icon={<CheckmarkCircleRegular />}
      title={seenAll ? t("noneOpen") : t("noneFiltered")}
      action={<Button onClick={onAll}>{t("showAll")}</Button>}
    >
      {seenAll && t("noneOpenHint")}
    </Empty>
  );
}
