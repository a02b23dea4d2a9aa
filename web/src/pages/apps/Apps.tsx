import { Button } from "@fluentui/react-components";
import { AddRegular, AppsListRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import "./texts";

/** `/apps`: through which app registrations people sign in (AV-08, AV-09). */
export function Apps() {
  const t = useTexts("apps");
  const navigate = useNavigate();
  const may = useMay("manage-connectors");
  const profiles = usePaged("/app-profiles", {});
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        may && (
          <>
            <Button onClick={() => void navigate({ to: "/permissions" })}>{t("permissionsPage")}</Button>
            <Button appearance="primary" icon={<AddRegular />} onClick={() => void navigate({ to: "/new/app" })}>
              {t("create")}
            </Button>
          </>
        )
      }
    >
      <Listing
        list={profiles}
        label={t("label")}
        empty={
          <Empty icon={<AppsListRegular />} title={t("empty")}>
            {t("emptyHint")}
          </Empty>
        }
        id={({ name }) => name}
        columns={[
          {
            key: "name",
            title: t("column.name"),
            grow: 2,
            cell: ({ name }) => (
              <TextLink to="/apps/$name" params={{ name }}>
                {name}
              </TextLink>
            ),
          },
          { key: "service", title: t("column.service"), cell: ({ service }) => t(`services.${service}`, { defaultValue: service }) },
          { key: "tenant", title: t("column.tenant"), grow: 2, cell: ({ tenant }) => tenant },
          { key: "app", title: t("column.app"), cell: ({ own }) => t(own ? "own" : "ours") },
          {
            key: "consented",
            title: t("column.consented"),
            cell: ({ consented }) => (
              <StatusBadge tone={consented ? "good" : "waiting"}>{t(consented ? "consented" : "notConsented")}</StatusBadge>
            ),
          },
        ]}
      />
    </Page>
  );
}
