import { Button } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { Tabs } from "../../components/Tabs";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay, useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { AddPerson } from "./AddPerson";
import { Providers } from "./Providers";
import { Sessions } from "./Sessions";
import { State } from "./State";
import "./texts";

export function People() {
  const t = useTexts("people");
  return (
    <Page title={t("title")} about={t("about")}>
      <Tabs
        label={t("tabs")}
        tabs={[
          { key: "accounts", title: t("tab.accounts"), content: () => <Accounts /> },
          { key: "sessions", title: t("tab.sessions"), content: () => <Sessions all /> },
          { key: "providers", title: t("tab.providers"), content: () => <Providers /> },
        ]}
      />
    </Page>
  );
}

function Accounts() {
  const t = useTexts("people");
  const me = useMe();
  const may = useMay("manage-people");
  const paged = usePaged("/people", {});
  const [{ add }, show] = useShown();
  return (
    <>
      {may && (
        <div>
          <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ add: "true" })}>
            {t("add")}
          </Button>
        </div>
      )}
      <Listing
        list={paged}
        label={t("list")}
        empty={<Empty title={t("none")} />}
        id={({ name }) => name}
        columns={[
          {
            key: "name",
            title: t("column.name"),
            grow: 2,
            cell: ({ name }) => (
              <>
                <TextLink to="/people/$name" params={{ name }}>
                  {name}
                </TextLink>
                {name === me.name && ` (${t("you")})`}
              </>
            ),
          },
          { key: "roles", title: t("column.roles"), grow: 2, cell: ({ roles }) => roles.map((role) => t(`role.${role}`)).join(", ") },
          {
            key: "connectors",
            title: t("column.connectors"),
            grow: 2,
            cell: ({ connectors }) => connectors?.join(", ") ?? t("allConnectors"),
          },
          {
            key: "way",
            title: t("column.way"),
            grow: 2,
            cell: ({ has_password, second_factor }) =>
              t(has_password ? (second_factor === "on" ? "way.factor" : "way.password") : "way.provider"),
          },
          { key: "in", title: t("column.signedIn"), width: 150, cell: ({ signed_in }) => <Time at={signed_in} /> },
          { key: "state", title: t("column.state"), width: 120, cell: ({ disabled }) => <State disabled={disabled} /> },
        ]}
      />
      {may && add && <AddPerson onClose={() => show({ add: undefined })} />}
    </>
  );
}
