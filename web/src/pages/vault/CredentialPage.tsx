import { Button, Text } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Facts } from "../../components/Facts";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { Rotate } from "./Rotate";
import { TestCredential } from "./TestCredential";
import { userOf } from "./users";
import { type Credential, Ends, hasSecret, LastTest } from "./Words";
import "./texts";

/** It opens the storage of repositories: tested and given anew with those. */
const STORAGE = "storage";

export function CredentialPage() {
  const t = useTexts("vault");
  const { name = "" } = useParams({ strict: false }) as { name?: string };
  const query = api.useQuery("get", "/credentials/{name}", { params: { path: { name } } });
  return (
    <Page
      title={name}
      trail={<TextLink to="/vault">{t("back")}</TextLink>}
      actions={query.data && <Actions credential={query.data} />}
    >
      <Loaded query={query}>{(credential) => <Content credential={credential} />}</Loaded>
    </Page>
  );
}

function Content({ credential }: { credential: Credential }) {
  const t = useTexts("vault");
  const { managed_identity: machine, method } = credential;
  return (
    <>
      <Facts
        facts={[
          [t("fact.method"), t(`method.${method}`, { defaultValue: method })],
          [t("secret"), hasSecret(credential) ? t("secretHidden") : t("secretNone")],
          [t("fact.ends"), <Ends key="ends" of={credential} />],
          [t("fact.url"), credential.url],
          [t("fact.account"), credential.account],
          [t("fact.client"), credential.client_id],
          [t("fact.tenant"), credential.tenant],
          [t("fact.managed"), machine && (machine === "system" ? t("identity.system") : t("identity.user", { id: machine }))],
          [t("fact.cloud"), credential.cloud !== "public" && credential.cloud],
          [t("fact.tested"), <LastTest key="tested" of={credential} />],
          [t("fact.error"), credential.test_error],
          [t("fact.used"), <Time key="used" at={credential.used} />],
          [t("fact.updated"), <Time key="updated" at={credential.updated} />],
          [t("fact.created"), <Time key="created" at={credential.created} />],
        ]}
      />
      <Users users={credential.users ?? []} person={method === "user"} />
      {method !== STORAGE && <TestCredential credential={credential} />}
    </>
  );
}

function Users({ users, person }: { users: string[]; person: boolean }) {
  const t = useTexts("vault");
  return (
    <Section title={t("users.title")} about={users.length > 0 && `${t("users.why")} ${person ? t("rotate.signWhy") : ""}`}>
      {users.length === 0 ? (
        <Text>{t("users.none")}</Text>
      ) : (
        <ul>
          {users.map(userOf).map(({ kind, name }) => (
            <li key={`${kind} ${name}`}>
              {t(`users.${kind}`)}{" "}
              {kind === "other" ? (
                name
              ) : (
                <TextLink to={`/${kind === "connector" ? "connectors" : "repositories"}/$name`} params={{ name }} inline>
                  {name}
                </TextLink>
              )}{" "}
              {person && kind === "connector" && (
                <TextLink to="/connectors/$name/sign-in" params={{ name }} inline>
                  {t("rotate.sign", { name })}
                </TextLink>
              )}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Actions({ credential }: { credential: Credential }) {
  const t = useTexts("vault");
  const tell = useTell();
  const navigate = useNavigate();
  const [{ dialog }, show] = useShown();
  const close = () => show({ dialog: undefined });
  const { name } = credential;
  const users = credential.users ?? [];
  const remove = api.useMutation("delete", "/credentials/{name}", {
    onSuccess: async () => {
      tell(t("remove.done", { name }));
      await navigate({ to: "/vault", replace: true });
    },
  });
  return (
    <>
      {hasSecret(credential) && ![STORAGE, "user"].includes(credential.method) && (
        <Button appearance="primary" onClick={() => show({ dialog: "rotate" })}>
          {t("rotate.go")}
        </Button>
      )}
      <Button
        disabledFocusable={users.length > 0}
        title={users.length > 0 ? t("remove.inUse", { users: users.join(", ") }) : undefined}
        onClick={() => show({ dialog: "remove" })}
      >
        {t("action.remove")}
      </Button>
      {dialog === "rotate" && <Rotate credential={credential} onClose={close} />}
      {dialog === "remove" && (
        <ConfirmDialog
          title={t("remove.title", { name })}
          action={t("action.remove")}
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: { path: { name } } })}
          onCancel={close}
        >
          <p>{t("remove.about")}</p>
          <ShowAs cli={["credential", "remove", name]} method="DELETE" path={`/credentials/${encodeURIComponent(name)}`} />
        </ConfirmDialog>
      )}
    </>
  );
}
