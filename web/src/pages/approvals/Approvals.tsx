import { CheckmarkCircleRegular } from "@fluentui/react-icons";
import { Field, Select } from "@fluentui/react-components";
import { api } from "../../api/client";
import { Filters } from "../../components/Filters";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { AskedBy } from "./AskedBy";
import { useHeading } from "./heading";
import { State } from "./State";
import "./texts";

export function Approvals() {
  const t = useTexts("approvals");
  const heading = useHeading();
  const [{ all }, show] = useShown();
  const paged = usePaged("/proposals", { query: { open: !all } });
  return (
    <Page title={t("title")} about={t("about")}>
      <Filters>
        <Field label={t("show")}>
          <Select value={all ? "all" : "open"} onChange={(_, { value }) => show({ all: value === "all" ? "true" : undefined })}>
            <option value="open">{t("open")}</option>
            <option value="all">{t("all")}</option>
          </Select>
        </Field>
      </Filters>
      <Listing
        list={paged}
        label={t("list")}
        empty={<None />}
        id={({ id }) => id}
        columns={[
          {
            key: "what",
            title: t("column.what"),
            grow: 4,
            cell: (proposal) => (
              <TextLink to="/approvals/$id" params={{ id: proposal.id }}>
                {heading(proposal)}
              </TextLink>
            ),
          },
          { key: "requester", title: t("column.requester"), cell: ({ requester }) => <AskedBy requester={requester} /> },
          { key: "created", title: t("column.created"), cell: ({ created }) => <Time at={created} /> },
          { key: "expires", title: t("column.expires"), cell: ({ state, expires }) => state === "open" && <Time at={expires} /> },
          { key: "state", title: t("column.state"), width: 180, cell: ({ state }) => <State state={state} /> },
        ]}
      />
    </Page>
  );
}

function None() {
  const t = useTexts("approvals");
  const enabled = api.useQuery("get", "/settings/four-eyes").data?.enabled;
  return (
    <Empty
      icon={<CheckmarkCircleRegular />}
      title={t("none")}
      action={enabled === false && <TextLink to="/settings">{t("toSettings")}</TextLink>}
    >
      {enabled !== undefined && t(enabled ? "noneOn" : "noneOff")}
    </Empty>
  );
}
