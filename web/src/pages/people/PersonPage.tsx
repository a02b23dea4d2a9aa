import { Button, Text } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Facts } from "../../components/Facts";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell, useTellRefusal } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { EditPerson } from "./EditPerson";
import { ResetPassword } from "./ResetPassword";
import { allowed } from "./roles";
import { State } from "./State";
import "./texts";

type Person = Schemas["Person"];

export function PersonPage() {
  const t = useTexts("people");
  const { name = "" } = useParams({ strict: false }) as { name?: string };
  const query = api.useQuery("get", "/people/{name}", { params: { path: { name } } });
  return (
    <Page
      title={name}
      trail={<TextLink to="/people">{t("back")}</TextLink>}
      actions={query.data && <Actions person={query.data} />}
    >
      <Loaded query={query}>{(person) => <Content person={person} />}</Loaded>
    </Page>
  );
}

function Content({ person }: { person: Person }) {
  const t = useTexts("people");
  const may = allowed(person.roles);
  return (
    <>
      <Facts
        facts={[
          [t("fact.state"), <State key="state" disabled={person.disabled} />],
          [t("fact.roles"), person.roles.map((role) => t(`role.${role}`)).join(", ")],
          [t("fact.connectors"), person.connectors?.join(", ") ?? t("allConnectors")],
          [t("fact.password"), t(person.has_password ? "password.set" : "password.none")],
          [t("fact.factor"), t(`factor.${person.second_factor}`)],
          [t("fact.issuers"), person.issuers?.join(", ")],
          [t("fact.signedIn"), <Time key="in" at={person.signed_in} />],
          [t("fact.created"), <Time key="created" at={person.created} />],
        ]}
      />
      <Section title={t("may.title", { name: person.name })}>
        {may.length === 0 && <Text>{t("may.nothing")}</Text>}
        <ul>
          {may.map((permission) => (
            <li key={permission}>{t(`permission.${permission}`)}</li>
          ))}
        </ul>
      </Section>
    </>
  );
}

function Actions({ person }: { person: Person }) {
  const t = useTexts("people");
  const [{ dialog }, show] = useShown();
  const close = () => show({ dialog: undefined });
  const { name } = person;
  return (
    <>
      <Button appearance="primary" onClick={() => show({ dialog: "edit" })}>
        {t("dialog.edit")}
      </Button>
      <Button onClick={() => show({ dialog: "password" })}>{t("dialog.password")}</Button>
      {person.disabled ? <Enable name={name} /> : <Button onClick={() => show({ dialog: "disable" })}>{t("dialog.disable")}</Button>}
      <Button onClick={() => show({ dialog: "remove" })}>{t("dialog.remove")}</Button>
      {dialog === "edit" && <EditPerson person={person} onClose={close} />}
      {dialog === "password" && <ResetPassword name={name} onClose={close} />}
      {dialog === "disable" && <Disable name={name} onClose={close} />}
      {dialog === "remove" && <Remove name={name} onClose={close} />}
    </>
  );
}

const pathOf = (name: string) => `/people/${encodeURIComponent(name)}`;

/** Enabling asks nothing before: its refusal has no dialog to stand in. */
function Enable({ name }: { name: string }) {
  const t = useTexts("people");
  const tell = useTell();
  const refused = useTellRefusal();
  const edit = api.useMutation("patch", "/people/{name}", { onSuccess: () => tell(t("enabled", { name })), onError: refused });
  const body = { disabled: false };
  return (
    <>
      <ShowAs cli={["user", "enable", name]} method="PATCH" path={pathOf(name)} body={body} />
      <Button disabled={edit.isPending} onClick={() => edit.mutate({ params: { path: { name } }, body })}>
        {t("dialog.enable")}
      </Button>
    </>
  );
}

interface AskProps {
  name: string;
  onClose: () => void;
}

function Disable({ name, onClose }: AskProps) {
  const t = useTexts("people");
  const tell = useTell();
  const edit = api.useMutation("patch", "/people/{name}", {
    onSuccess: () => {
      tell(t("disable.done", { name }));
      onClose();
    },
  });
  const body = { disabled: true };
  return (
    <ConfirmDialog
      title={t("disable.title", { name })}
      action={t("dialog.disable")}
      busy={edit.isPending}
      error={edit.error}
      onConfirm={() => edit.mutate({ params: { path: { name } }, body })}
      onCancel={onClose}
    >
      <p>{t("disable.about")}</p>
      <ShowAs cli={["user", "disable", name]} method="PATCH" path={pathOf(name)} body={body} />
    </ConfirmDialog>
  );
}

function Remove({ name, onClose }: AskProps) {
  const t = useTexts("people");
  const tell = useTell();
  const navigate = useNavigate();
  const remove = api.useMutation("delete", "/people/{name}", {
    onSuccess: async () => {
      tell(t("remove.done", { name }));
      await navigate({ to: "/people", replace: true });
    },
  });
  return (
    <ConfirmDialog
      title={t("remove.title", { name })}
      action={t("dialog.remove")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { path: { name } } })}
      onCancel={onClose}
    >
      <p>{t("remove.about")}</p>
      <ShowAs cli={["user", "remove", name]} method="DELETE" path={pathOf(name)} />
    </ConfirmDialog>
  );
}
