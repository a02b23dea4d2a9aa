import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { AddRegular, MailAlertRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { Tabs } from "../../components/Tabs";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { address } from "./channel";
import { EditChannel } from "./EditChannel";
import { Messages } from "./Messages";
import "./texts";

export function Notifications() {
  const t = useTexts("notifications");
  const may = useMay("manage-policies");
  const [, show] = useShown();
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        may && (
          <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ tab: undefined, dialog: "add" })}>
            {t("add")}
          </Button>
        )
      }
    >
      <Tabs
        label={t("tabs")}
        tabs={[
          { key: "channels", title: t("tab.channels"), content: () => <Channels /> },
          { key: "messages", title: t("tab.messages"), content: () => <Messages /> },
        ]}
      />
    </Page>
  );
}

function Channels() {
  const t = useTexts("notifications");
  const query = api.useQuery("get", "/notifications");
  const [{ dialog, channel }, show] = useShown();
  const close = () => show({ dialog: undefined, channel: undefined });
  const tell = useTell();
  const test = api.useMutation("post", "/notifications/{name}/test", {
    onSuccess: (_, { params }) => tell(t("tested", { name: params.path.name }), t("testedNext")),
  });
  const tested = test.variables?.params.path.name;
  const chosen = query.data?.items.find(({ name }) => name === channel);
  return (
    <>
      <Listing
        list={query}
        label={t("list")}
        empty={
          <Empty icon={<MailAlertRegular />} title={t("none")}>
            {t("noneHint")}
          </Empty>
        }
        id={({ name }) => name}
        columns={[
          { key: "name", title: t("column.name"), cell: ({ name }) => name },
          { key: "kind", title: t("column.kind"), cell: ({ to }) => t(`kind.${to.kind}`) },
          { key: "to", title: t("column.to"), grow: 2, cell: ({ to }) => address(to) ?? t("hidden") },
          { key: "on", title: t("column.on"), grow: 2, cell: ({ on }) => on.map((one) => t(`on.${one}`)).join(", ") },
          { key: "connectors", title: t("column.connectors"), cell: (one) => one.connectors.join(", ") || t("all") },
          { key: "enabled", title: t("column.enabled"), width: 90, cell: ({ enabled }) => <State enabled={enabled} /> },
          {
            key: "actions",
            title: t("column.actions"),
            width: 240,
            cell: ({ name }) => <Actions name={name} testing={test.isPending} onTest={() => test.mutate({ params: { path: { name } } })} />,
          },
        ]}
      />
      {test.error && <Text>{t("testFailed", { name: tested })}</Text>}
      <Refusal error={test.error} />
      {dialog === "add" && <EditChannel onClose={close} />}
      {chosen && dialog === "edit" && <EditChannel channel={chosen} onClose={close} />}
      {chosen && dialog === "remove" && <Remove name={chosen.name} onClose={close} />}
    </>
  );
}

function State({ enabled }: { enabled: boolean }) {
  const t = useTexts("notifications");
  return <StatusBadge tone={enabled ? "good" : "neutral"}>{t(enabled ? "enabled" : "disabled")}</StatusBadge>;
}

const useStyles = makeStyles({ line: { display: "flex", gap: tokens.spacingHorizontalXS } });

interface ActionProps {
  name: string;
  /** A message is on its way. */
  testing: boolean;
  onTest: () => void;
}

function Actions({ name, testing, onTest }: ActionProps) {
  const t = useTexts("notifications");
  const styles = useStyles();
  const [, show] = useShown();
  return (
    <div className={styles.line}>
      <Button size="small" aria-label={t("testLabel", { name })} disabled={testing} onClick={onTest}>
        {t("test")}
      </Button>
      <Button size="small" aria-label={t("editLabel", { name })} onClick={() => show({ channel: name, dialog: "edit" })}>
        {t("edit")}
      </Button>
      <Button size="small" aria-label={t("removeLabel", { name })} onClick={() => show({ channel: name, dialog: "remove" })}>
        {t("remove")}
      </Button>
      <ShowAs cli={["notification", "test", name]} method="POST" path={`/notifications/${encodeURIComponent(name)}/test`} />
    </div>
  );
}

function Remove({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useTexts("notifications");
  const tell = useTell();
  const remove = api.useMutation("delete", "/notifications/{name}", {
    onSuccess: () => {
      tell(t("removed", { name }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("ask", { name })}
      action={t("remove")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { path: { name } } })}
      onCancel={onClose}
    >
      <p>{t("askAbout")}</p>
      <ShowAs cli={["notification", "remove", name]} method="DELETE" path={`/notifications/${encodeURIComponent(name)}`} />
    </ConfirmDialog>
  );
}
