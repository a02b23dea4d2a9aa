import { Button, Caption1 } from "@fluentui/react-components";
import { ClipboardTaskRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import { type Column, DataTable } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { when } from "../../components/format";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { type Plan, STATES } from "./contract";
import { TONES } from "./plan";
import "./texts";

/** All restore plans, the newest first. */
export function Plans() {
  const t = useTexts("restore");
  const [shown, show] = useShown();
  const { connector, state } = shown;
  const plans = usePaged<Plan>("/restore-plans", { ...(connector && { connector }), ...(state && { state }) });
  const connectors = api.useQuery("get", "/connectors", { params: { query: { limit: 200 } } }).data?.items ?? [];
  const filtered = Boolean(connector || state);
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters>
        <FilterSelect
          label={t("state")}
          value={state}
          options={STATES.map((value) => ({ value, title: t(`states.${value}`) }))}
          onChange={(value) => show({ state: value })}
        />
        <FilterSelect
          label={t("connector")}
          value={connector}
          options={connectors.map(({ name }) => ({ value: name, title: name }))}
          onChange={(value) => show({ connector: value })}
        />
      </Filters>
      <Loaded query={{ ...plans, data: plans.items }}>
        {(items) =>
          items.length > 0 ? (
            <List items={items} more={plans.hasNextPage} onMore={() => !plans.isFetchingNextPage && void plans.fetchNextPage()} />
          ) : filtered ? (
            <Empty title={t("noneFiltered")} action={<Button onClick={() => show({ state: undefined, connector: undefined })}>{t("all")}</Button>}>
              {t("noneFilteredHint")}
            </Empty>
          ) : (
            <Empty icon={<ClipboardTaskRegular />} title={t("none")} action={<TextLink to="/snapshots">{t("toSnapshots")}</TextLink>}>
              {t("noneHint")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function List({ items, more, onMore }: { items: Plan[]; more: boolean; onMore: () => void }) {
  const t = useTexts("restore");
  const columns: Column<Plan>[] = [
    {
      key: "what",
      title: t("what"),
      grow: 3,
      cell: ({ id, source, taken_at: taken, undoes }) => (
        <>
          <TextLink to="/restore/$id" params={{ id }}>
            {source && taken ? t("from", { source, time: when(taken) }) : t("forgotten")}
          </TextLink>
          {undoes && <Caption1 block>{t("undoOf")}</Caption1>}
        </>
      ),
    },
    { key: "into", title: t("into"), grow: 2, cell: ({ target }) => target.connector },
    { key: "state", title: t("state"), grow: 2, cell: ({ state }) => <StatusBadge tone={TONES[state]}>{t(`states.${state}`)}</StatusBadge> },
    { key: "created", title: t("created"), cell: ({ created_at: at }) => <Time at={at} /> },
    { key: "by", title: t("by"), cell: ({ created_by: by }) => by ?? t("somebody") },
  ];
  return <DataTable label={t("list")} items={items} columns={columns} id={({ id }) => id} more={more} onMore={onMore} />;
}
