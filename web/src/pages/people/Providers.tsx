import { Button } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { type Column } from "../../components/DataTable";
import { Listing } from "../../components/Listing";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { EditProvider } from "./EditProvider";
import "./texts";

type Provider = Schemas["Named"];

/** Where people sign in with an account of their organization. */
export function Providers() {
  const t = useTexts("people");
  const may = useMay("manage-people");
  const query = api.useQuery("get", "/identity-providers");
  const [{ provider, dialog }, show] = useShown();
  const close = () => show({ provider: undefined, dialog: undefined });
  const chosen = query.data?.items.find(({ name }) => name === provider);
  return (
    <Section
      title={t("providers.title")}
      about={t("providers.about")}
      actions={
        may && (
          <Button icon={<AddRegular />} onClick={() => show({ dialog: "add" })}>
            {t("providers.add")}
          </Button>
        )
      }
    >
      <Listing
        list={query}
        label={t("providers.list")}
        empty={<Empty title={t("providers.none")}>{t("providers.noneHint")}</Empty>}
        id={({ name }) => name}
        columns={columns(t, show)}
      />
      {may && dialog === "add" && <EditProvider onClose={close} />}
      {chosen && dialog === "edit" && <EditProvider provider={chosen} onClose={close} />}
      {chosen && dialog === "remove" && <Remove provider={chosen} onClose={close} />}
    </Section>
  );
}

function columns(t: ReturnType<typeof useTexts>, show: ReturnType<typeof useShown>[1]): Column<Provider>[] {
  const roles = (of: readonly string[]) => of.map((role) => t(`role.${role}`)).join(", ");
  return [
    { key: "title", title: t("providers.column.title"), cell: ({ title }) => title },
    { key: "issuer", title: t("providers.column.issuer"), grow: 2, cell: ({ issuer }) => issuer },
    {
      key: "groups",
      title: t("providers.column.groups"),
      width: 130,
      cell: ({ roles: groups }) => String(Object.keys(groups ?? {}).length),
    },
    {
      key: "others",
      title: t("providers.column.others"),
      cell: ({ default_roles: usual }) => roles(usual ?? []) || t("providers.kept"),
    },
    {
      key: "actions",
      title: t("action.more"),
      width: 190,
      cell: ({ name, title }) => (
        <>
          <Button size="small" aria-label={`${t("providers.edit")} ${title}`} onClick={() => show({ provider: name, dialog: "edit" })}>
            {t("providers.edit")}
          </Button>{" "}
          <Button size="small" aria-label={`${t("providers.remove")} ${title}`} onClick={() => show({ provider: name, dialog: "remove" })}>
            {t("providers.remove")}
          </Button>
        </>
      ),
    },
  ];
}

function Remove({ provider: { name, title }, onClose }: { provider: Provider; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const remove = api.useMutation("delete", "/identity-providers/{name}", {
    onSuccess: () => {
      tell(t("providers.removed", { title }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("providers.askRemove", { title })}
      action={t("providers.remove")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { path: { name } } })}
      onCancel={onClose}
    >
      <p>{t("providers.askRemoveAbout")}</p>
      <ShowAs cli={["identity-provider", "remove", name]} method="DELETE" path={`/identity-providers/${encodeURIComponent(name)}`} />
    </ConfirmDialog>
  );
}
