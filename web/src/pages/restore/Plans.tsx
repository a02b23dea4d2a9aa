import { Button, Caption1 } from "@fluentui/react-components";
import { ClipboardTaskRegular } from "@fluentui/react-icons";
import { ConnectorFilter } from "../../components/ConnectorFilter";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { when } from "../../components/format";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { STATES, toneOf } from "./plan";
import "./texts";

/** All restore plans, the newest first. */
export function Plans() {
  const t = useTexts("restore");
  const [shown, show] = useShown();
  const { connector, state } = shown;
  const plans = usePaged("/restore-plans", { query: { ...(connector && { connector }), ...(state && { state }) } });
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
        <ConnectorFilter label={t("connector")} />
      </Filters>
      <Listing
        list={plans}
        label={t("list")}
        empty={
          filtered ? (
            <Empty title={t("noneFiltered")} action={<Button onClick={() => show({ state: undefined, connector: undefined })}>{t("all")}</Button>}>
              {t("noneFilteredHint")}
            </Empty>
          ) : (
            <Empty icon={<ClipboardTaskRegular />} title={t("none")} action={<TextLink to="/snapshots">{t("toSnapshots")}</TextLink>}>
              {t("noneHint")}
            </Empty>
          )
        }
        id={({ id }) => id}
        columns={[
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
          { key: "state", title: t("state"), grow: 2, cell: (plan) => <StatusBadge tone={toneOf(plan.state)}>{t(`states.${plan.state}`)}</StatusBadge> },
          { key: "created", title: t("created"), cell: ({ created_at: at }) => <Time at={at} /> },
          { key: "by", title: t("by"), cell: ({ created_by: by }) => by ?? t("somebody") },
        ]}
      />
    </Page>
  );
}
