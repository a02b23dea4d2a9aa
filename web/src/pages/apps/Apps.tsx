import { Button } from "@fluentui/react-components";
import { AddRegular, AppsListRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import { DataTable, type Column } from "../../components/DataTable";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import "./texts";

type Profile = Schemas["ProfileView"];

/** `/apps`: through which app registrations people sign in (AV-08, AV-09). */
export function Apps() {
  const t = useTexts("apps");
  const navigate = useNavigate();
  const may = useMay("manage-connectors");
  const profiles = usePaged<Profile>("/app-profiles", { limit: 100 });
  const create = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => void navigate({ to: "/apps/new" as never })}>
      {t("create")}
    </Button>
  );
  const columns: Column<Profile>[] = [
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
    { key: "service", title: t("column.service"), cell: ({ service }) => t(`service.${service}`, { defaultValue: service }) },
    { key: "tenant", title: t("column.tenant"), grow: 2, cell: ({ tenant }) => tenant },
    { key: "app", title: t("column.app"), cell: ({ own }) => t(own ? "own" : "ours") },
    {
      key: "consented",
      title: t("column.consented"),
      cell: ({ consented }) => (
        <StatusBadge tone={consented ? "good" : "waiting"}>{t(consented ? "consented" : "notConsented")}</StatusBadge>
      ),
    },
  ];
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        may && (
          <>
            <Button onClick={() => void navigate({ to: "/apps/permissions" as never })}>{t("permissionsPage")}</Button>
            {create}
          </>
        )
      }
    >
      <Loaded query={{ ...profiles, data: profiles.items }}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<AppsListRegular />} title={t("empty")}>
              {t("emptyHint")}
            </Empty>
          ) : (
            <DataTable
              label={t("label")}
              items={items}
              columns={columns}
              id={({ name }) => name}
              more={profiles.hasNextPage}
              onMore={() => void profiles.fetchNextPage()}
            />
          )
        }
      </Loaded>
    </Page>
  );
}
