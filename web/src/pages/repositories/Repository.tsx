import { Badge, Button, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Facts } from "../../components/Facts";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { Tabs } from "../../components/Tabs";
import { useTell, useTellRefusal } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { waitOf } from "../policies/Waits";
import { Alone } from "./Alone";
import { EditRepository } from "./EditRepository";
import { Maintenance } from "./Maintenance";
import { Mend } from "./Mend";
import { Space } from "./Space";
import { LastCheck, type Repository, Size, Snapshots, Standing, useStanding } from "./Standing";
import { Upkeep } from "./Upkeep";
import "./texts";

export function RepositoryPage() {
  const t = useTexts("repositories");
  const { name = "" } = useParams({ strict: false }) as { name?: string };
  const query = api.useQuery("get", "/repositories/{name}", { params: { path: { name } } });
  return (
    <Page
      title={name}
      trail={<TextLink to="/repositories">{t("back")}</TextLink>}
      actions={query.data && <Actions repository={query.data} />}
    >
      <Loaded query={query}>{(repository) => <Content repository={repository} />}</Loaded>
    </Page>
  );
}

function Content({ repository }: { repository: Repository }) {
  const t = useTexts("repositories");
  const may = useMay("manage-repositories");
  const { name } = repository;
  const tabs = [
    { key: "overview", title: t("tab.overview"), content: () => <Overview repository={repository} /> },
    { key: "space", title: t("tab.space"), content: () => <Space name={name} /> },
    {
      key: "upkeep",
      title: t("tab.upkeep"),
      content: () => (
        <>
          {may && <Upkeep name={name} />}
          <Maintenance name={name} />
        </>
      ),
    },
    { key: "alone", title: t("tab.alone"), content: () => <Alone location={repository.location} /> },
  ];
  // How large it is, is for those who manage it: the server has to read it for that.
  return <Tabs label={t("tab.label")} tabs={may ? tabs : tabs.filter(({ key }) => key !== "space")} />;
}

function Overview({ repository }: { repository: Repository }) {
  const t = useTexts("repositories");
  const { name, object_lock: lock } = repository;
  const error = useStanding(name).data?.error;
  return (
    <>
      {repository.damaged && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{t("state.damaged")}</MessageBarTitle>
            {t("damaged")} <TextLink to="/runs" search={{ kind: "check" }} inline>{t("upkeep.runs")}</TextLink>
            <Mend name={name} />
          </MessageBarBody>
        </MessageBar>
      )}
      {error && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>{t("away", { error })}</MessageBarBody>
        </MessageBar>
      )}
      <Facts
        facts={[
          [t("fact.state"), <Standing key="state" repository={repository} />],
          [t("fact.bytes"), <Size key="size" name={name} />],
          [t("fact.snapshots"), <Snapshots key="snapshots" name={name} />],
          [t("fact.checked"), <LastCheck key="check" repository={repository} />],
          [t("fact.damaged"), repository.damaged && <Time key="damaged" at={repository.damaged} />],
          [t("fact.pruned"), repository.pruned && <Time key="pruned" at={repository.pruned} />],
          [t("fact.location"), repository.location],
          [t("fact.credential"), repository.credential ?? (repository.location.includes("://") && t("machine"))],
          [t("fact.lock"), lock ? t(`lock.${lock.mode}`, { count: lock.days }) : t("lock.none")],
          [t("fact.id"), repository.id],
        ]}
      />
    </>
  );
}

/** Policies would keep fewer snapshots: the person has to know that. */
const LESS = "default-keeps-less";

function Actions({ repository }: { repository: Repository }) {
  const t = useTexts("repositories");
  const may = useMay("manage-repositories");
  const tell = useTell();
  const refused = useTellRefusal();
  const navigate = useNavigate();
  const [{ dialog }, show] = useShown();
  const close = () => show({ dialog: undefined });
  const { name, default: usual } = repository;
  const params = { params: { path: { name } } };
  const path = `/repositories/${encodeURIComponent(name)}`;
  const choose = api.useMutation("put", "/repositories/{name}/default", {
    onSuccess: (answer) => tell(waitOf(answer) ? t("waits") : t("defaultNow", { name })),
    onError: (error) => Problem.from(error).code !== LESS && refused(error),
  });
  const less = choose.error && Problem.from(choose.error);
  const remove = api.useMutation("delete", "/repositories/{name}", {
    onSuccess: async (answer) => {
      if (waitOf(answer)) {
        tell(t("waits"));
        close();
        return;
      }
      tell(t("remove.done", { name }));
      await navigate({ to: "/repositories", replace: true });
    },
  });
  if (usual && !may) return <Badge appearance="outline">{t("default")}</Badge>;
  if (!may) return null;
  return (
    <>
      {usual ? (
        <Badge appearance="outline" size="large" style={{ alignSelf: "center" }}>
          {t("default")}
        </Badge>
      ) : (
        <>
          <ShowAs cli={["repository", "default", name]} method="PUT" path={`${path}/default`} />
          <Button disabled={choose.isPending} onClick={() => choose.mutate(params)}>
            {t("setDefault")}
          </Button>
        </>
      )}
      <Button onClick={() => show({ dialog: "edit" })}>{t("action.edit")}</Button>
      <Button onClick={() => show({ dialog: "remove" })}>{t("action.remove")}</Button>
      {less?.code === LESS && (
        <ConfirmDialog
          title={t("less.title", { name })}
          action={t("setDefault")}
          busy={false}
          onConfirm={() => choose.mutate({ params: { path: { name }, query: { accept_less: true } } })}
          onCancel={choose.reset}
        >
          <p>{less.message}</p>
          <p>{t("less.about")}</p>
          <ShowAs cli={["repository", "default", name, "--accept-less"]} method="PUT" path={`${path}/default?accept_less=true`} />
        </ConfirmDialog>
      )}
      {dialog === "edit" && <EditRepository repository={repository} onClose={close} />}
      {dialog === "remove" && (
        <ConfirmDialog
          title={t("remove.title", { name })}
          action={t("action.remove")}
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(params)}
          onCancel={close}
        >
          <p>{t("remove.stays")}</p>
          <p>{t("remove.goes")}</p>
          <ShowAs method="DELETE" path={path} />
        </ConfirmDialog>
      )}
    </>
  );
}
