import { Button } from "@fluentui/react-components";
import { DeleteRegular, PlayRegular } from "@fluentui/react-icons";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api, type Schemas } from "../../api/client";
import { Page } from "../../components/Page";
import { Loaded } from "../../components/State";
import { ShowAs } from "../../components/ShowAs";
import { Tabs } from "../../components/Tabs";
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

/** `/connectors/$name`. */
export function ConnectorPage() {
  const { name = "" }: { name?: string } = useParams({ strict: false });
  const t = useTexts("connectors");
  const connector = api.useQuery("get", "/connectors/{name}", { params: { path: { name } } });
  return (
    <Page title={name} trail={<TextLink to="/connectors">{t("title")}</TextLink>} actions={connector.data && <Actions name={name} />}>
      <Loaded query={connector}>{(view) => <Content view={view} />}</Loaded>
    </Page>
  );
}

function Actions({ name }: { name: string }) {
  const t = useTexts("connectors");
  const navigate = useNavigate();
  const manage = useMay("manage-connectors");
  const mayRun = useMay("run-backups");
  const run = useRunBackup();
  const [removing, setRemoving] = useState(false);
  const leave = () => void navigate({ to: "/connectors" });
  return (
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
      {removing && <RemoveDialog names={[name]} onDone={(stayed) => (stayed.length > 0 ? setRemoving(false) : leave())} onCancel={() => setRemoving(false)} />}
    </>
  );
}

/** The parts of a connector's page, for whom may see them. */
function Content({ view }: { view: View }) {
  const t = useTexts("connectors");
  const manage = useMay("manage-connectors");
  const { name, service } = view;
  const directory = service === "microsoft-365";
  const part = (key: string, content: () => ReactNode, shown = true) => (shown ? [{ key, title: t(`tab.${key}`), content }] : []);
  const listed = (of: "users" | "groups" | "sites") => part(of, () => <DirectoryTab key={of} connector={name} part={of} />, directory);
  const tabs = [
    ...part("overview", () => <OverviewTab connector={view} />),
    ...part("repositories", () => <RepositoriesTab connector={name} />, manage && !directory),
    ...part("checks", () => <ChecksTab connector={name} />, manage),
    ...listed("users"),
    ...listed("groups"),
    ...listed("sites"),
    ...part("settings", () => <SettingsTab connector={view} />, manage),
    ...part("tenant", () => <TenantTab connector={name} />, manage && directory),
  ];
  return <Tabs label={t("tab.label")} tabs={tabs} own={["run", "repository", "search"]} />;
}
