import { Button, Tab, TabList } from "@fluentui/react-components";
import { DeleteRegular, PlayRegular } from "@fluentui/react-icons";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api, type Schemas } from "../../api/client";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Loaded } from "../../components/State";
import { ShowAs } from "../../components/ShowAs";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { ChecksTab } from "./ChecksTab";
import { DirectoryTab } from "./DirectoryTab";
import { OverviewTab } from "./OverviewTab";
import { RemoveDialog } from "./RemoveDialog";
import { RepositoriesTab } from "./RepositoriesTab";
import { SettingsTab } from "./SettingsTab";
import { TenantTab } from "./TenantTab";
import "./texts";
import { useRunBackup } from "./useRunBackup";

type View = Schemas["ConnectorView"];

/** The parts of a connector's page: who may see them, and what they show. */
function partsOf({ service }: View, manage: boolean): string[] {
  const directory = service === "microsoft-365";
  return [
    "overview",
    ...(manage && !directory ? ["repositories"] : []),
    ...(manage ? ["checks"] : []),
    ...(directory ? ["users", "groups", "sites"] : []),
    ...(manage ? ["settings"] : []),
    ...(manage && directory ? ["tenant"] : []),
  ];
}

/** `/connectors/$name`. */
export function ConnectorPage() {
  const { name = "" }: { name?: string } = useParams({ strict: false });
  const t = useTexts("connectors");
  const navigate = useNavigate();
  const manage = useMay("manage-connectors");
  const mayRun = useMay("run-backups");
  const run = useRunBackup();
  const [shown, setShown] = useShown();
  const [removing, setRemoving] = useState(false);
  const connector = api.useQuery("get", "/connectors/{name}", { params: { path: { name } } });
  const leave = () => void navigate({ to: "/connectors" });
  return (
    <Page
      title={name}
      trail={<TextLink to="/connectors">{t("title")}</TextLink>}
      actions={
        connector.data && (
          <>
            {mayRun && (
              <>
                <ShowAs cli={["backup", name]} method="POST" path="/backups" body={{ connector: name }} />
                <Button icon={<PlayRegular />} disabled={run.isPending} onClick={() => run.mutate({ body: { connector: name } })}>
                  {t("runBackup")}
                </Button>
              </>
            )}
            {manage && (
              <Button icon={<DeleteRegular />} onClick={() => setRemoving(true)}>
                {t("row.remove")}
              </Button>
            )}
          </>
        )
      }
    >
      <Loaded query={connector}>
        {(view) => {
          const parts = partsOf(view, manage);
          const tab = parts.includes(shown["tab"] ?? "") ? (shown["tab"] as string) : "overview";
          return (
            <>
              <div style={{ overflowX: "auto" }}>
                <TabList
                  aria-label={t("tab.label")}
                  selectedValue={tab}
                  onTabSelect={(_, { value }) => setShown({ tab: value === "overview" ? undefined : String(value), run: undefined, repository: undefined, search: undefined })}
                >
                  {parts.map((part) => (
                    <Tab key={part} value={part}>
                      {t(`tab.${part}`)}
                    </Tab>
                  ))}
                </TabList>
              </div>
              <div role="tabpanel" aria-label={t(`tab.${tab}`)}>
                <Part tab={tab} view={view} />
              </div>
            </>
          );
        }}
      </Loaded>
      {removing && <RemoveDialog names={[name]} onDone={(stayed) => (stayed.length > 0 ? setRemoving(false) : leave())} onCancel={() => setRemoving(false)} />}
    </Page>
  );
}

function Part({ tab, view }: { tab: string; view: View }): ReactNode {
  switch (tab) {
    case "repositories":
      return <RepositoriesTab connector={view.name} />;
    case "checks":
      return <ChecksTab connector={view.name} />;
    case "users":
    case "groups":
    case "sites":
      return <DirectoryTab key={tab} connector={view.name} part={tab} />;
    case "settings":
      return <SettingsTab key={view.updated} connector={view} />;
    case "tenant":
      return <TenantTab connector={view.name} />;
    default:
      return <OverviewTab connector={view} />;
  }
}
