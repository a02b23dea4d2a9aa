import { Badge, Button } from "@fluentui/react-components";
import { AddRegular, ServerRegular } from "@fluentui/react-icons";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Listing } from "../../components/Listing";
import { useNow } from "../../components/now";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { useTell } from "../../components/tell";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AddWorker } from "./AddWorker";
import { standing } from "./standing";
import "./texts";

type Worker = Schemas["WorkerView"];

const TONES: Record<string, Tone> = { here: "good", away: "warning", never: "neutral" };
const AGAIN = 30_000;

export function Workers() {
  const t = useTexts("workers");
  const may = useMay("manage-server");
  const query = api.useQuery("get", "/workers", {}, { refetchInterval: AGAIN });
  const [{ add, remove }, show] = useShown();
  const asked = query.data?.items.find(({ name }) => name === remove);
  const words = (of: string[]) => of.join(", ") || t("none_labels");
  const removal = {
    key: "remove",
    title: t("column.remove"),
    width: 110,
    // The server's own cannot be shut out of it.
    cell: ({ name, own }: Worker) =>
      !own && (
        <Button size="small" aria-label={t("removeLabel", { name })} onClick={() => show({ remove: name })}>
          {t("remove")}
        </Button>
      ),
  };
  return (
    <Page
      title={t("title")}
      about={`${t("about")} ${t("labelsHint")}`}
      actions={
        may && (
          <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ add: "true" })}>
            {t("add")}
          </Button>
        )
      }
    >
      <Listing
        list={query}
        label={t("list")}
        empty={
          <Empty icon={<ServerRegular />} title={t("none")}>
            {t("noneHint")}
          </Empty>
        }
        id={({ name }) => name}
        columns={[
          { key: "name", title: t("column.name"), grow: 2, cell: (worker) => <Name worker={worker} /> },
          { key: "state", title: t("column.state"), width: 140, cell: (worker) => <State worker={worker} /> },
          { key: "labels", title: t("column.labels"), grow: 2, cell: ({ labels }) => words(labels) },
          { key: "storages", title: t("column.storages"), grow: 2, cell: ({ storages }) => words(storages) },
          { key: "seen", title: t("column.seen"), cell: ({ seen }) => <Time at={seen} /> },
          ...(may && query.data?.items.some(({ own }) => !own) ? [removal] : []),
        ]}
      />
      {may && add && <AddWorker onClose={() => show({ add: undefined })} />}
      {may && asked && <Remove worker={asked} onClose={() => show({ remove: undefined })} />}
    </Page>
  );
}

function Name({ worker: { name, own } }: { worker: Worker }) {
  const t = useTexts("workers");
  return (
    <>
      {name} {own && <Badge appearance="outline">{t("own")}</Badge>}
    </>
  );
}

function State({ worker }: { worker: Worker }) {
  const t = useTexts("workers");
  const now = useNow();
  const state = standing(worker, now);
  return (
    <span title={state === "away" ? t("awayHint") : undefined}>
      <StatusBadge tone={TONES[state] ?? "neutral"}>{t(`state.${state}`)}</StatusBadge>
    </span>
  );
}

function Remove({ worker: { name, storages }, onClose }: { worker: Worker; onClose: () => void }) {
  const t = useTexts("workers");
  const tell = useTell();
  const remove = api.useMutation("delete", "/workers/{name}", {
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
      {storages.length > 0 && <p>{t("askAlone", { count: storages.length, storages: storages.join(", ") })}</p>}
      <ShowAs cli={["worker", "remove", name]} method="DELETE" path={`/workers/${encodeURIComponent(name)}`} />
    </ConfirmDialog>
  );
}
