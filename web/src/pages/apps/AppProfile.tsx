import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { DeleteRegular, PlugConnectedRegular } from "@fluentui/react-icons";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Facts } from "../../components/Facts";
import { useFormStyles } from "../../components/form";
import { OutButton } from "../../components/Outside";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { CredentialName } from "../vault/Words";
import { Narrower } from "./Narrower";
import { PermissionTable } from "./PermissionTable";
import "./texts";

const LOOK = 3_000;

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, alignItems: "center" },
});

/** `/apps/$name`: one profile, the consent to it, and what it is allowed. */
export function AppProfile() {
  const { name = "" }: { name?: string } = useParams({ strict: false });
  const t = useTexts("apps");
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const [asked, setAsked] = useState(false);
  const params = { path: { name } };
  const profile = api.useQuery("get", "/app-profiles/{name}", { params }, {
    // The consent comes back in another window.
    refetchInterval: ({ state }) => (asked && !state.data?.consented ? LOOK : false),
  });
  return (
    <Page
      title={name}
      trail={<TextLink to="/apps">{t("title")}</TextLink>}
      actions={
        profile.data && (
          <>
            <Button icon={<PlugConnectedRegular />} onClick={() => void navigate({ to: "/connect/$kind", params: { kind: profile.data.service }, search: { profile: name } })}>
              {t("use")}
            </Button>
            <Button icon={<DeleteRegular />} onClick={() => setRemoving(true)}>
              {t("remove")}
            </Button>
          </>
        )
      }
    >
      <Loaded query={profile}>
        {(data) => <Found profile={data} onAsk={() => setAsked(true)} />}
      </Loaded>
      {removing && <Remove name={name} onClose={() => setRemoving(false)} />}
    </Page>
  );
}

function Found({ profile, onAsk }: { profile: Schemas["ProfileView"]; onAsk: () => void }) {
  const form = useFormStyles();
  const t = useTexts("apps");
  const { name, service, tenant, consented } = profile;
  const permissions = api.useQuery("get", "/app-permissions", { params: { query: { service } } });
  return (
    <div className={form.form}>
      <Section title={t("facts")}>
        <Facts
          facts={[
            [t("column.service"), t(`services.${service}`, { defaultValue: service })],
            [t("column.tenant"), tenant],
            [t("cloud"), profile.cloud],
            [t("column.app"), t(profile.own ? "own" : "ours")],
            [t("column.client"), profile.client_id],
            [t("credential"), profile.credential && <CredentialName key="credential" name={profile.credential} />],
            [
              t("column.consented"),
              <StatusBadge key="consented" tone={consented ? "good" : "waiting"}>
                {t(consented ? "consented" : "notConsented")}
              </StatusBadge>,
            ],
            [t("created"), <Time key="created" at={profile.created} />],
          ]}
        />
      </Section>
      <Consent name={name} tenant={tenant} consented={consented ?? undefined} onAsk={onAsk} />
      <Section title={t("permissions.label")}>
        <Loaded query={permissions}>{({ items }) => <PermissionTable permissions={items} />}</Loaded>
      </Section>
      <Narrower service={service} />
    </div>
  );
}

function Remove({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useTexts("apps");
  const navigate = useNavigate();
  const remove = api.useMutation("delete", "/app-profiles/{name}", { onSuccess: () => navigate({ to: "/apps" }) });
  return (
    <ConfirmDialog
      title={t("removeTitle", { name })}
      action={t("remove")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { path: { name } } })}
      onCancel={onClose}
    >
      <Text>{t("removeAbout")}</Text>
      <ShowAs cli={["app-profile", "remove", name]} method="DELETE" path={`/app-profiles/${encodeURIComponent(name)}`} />
    </ConfirmDialog>
  );
}

interface ConsentProps {
  name: string;
  tenant: string;
  consented: string | undefined;
  onAsk: () => void;
}

/** The link by which an administrator consents for the whole tenant. */
function Consent({ name, tenant, consented, onAsk }: ConsentProps) {
  const styles = useStyles();
  const t = useTexts("apps");
  const link = api.useMutation("post", "/app-profiles/{name}/consent-link", { onSuccess: onAsk });
  return (
    <Section title={t("consent")}>
      <Text>{t("consentAbout", { tenant })}</Text>
      <div role="status">
        {consented && (
          <StatusBadge tone="good">{t("consented")}</StatusBadge>
        )}{" "}
        {consented && <Time at={consented} />}
      </div>
      <div className={styles.line}>
        <Button appearance={consented ? "secondary" : "primary"} disabled={link.isPending} onClick={() => link.mutate({ params: { path: { name } } })}>
          {t(link.data ? "consentGet" : "consent")}
        </Button>
        <ShowAs cli={["app-profile", "consent", name]} method="POST" path={`/app-profiles/${encodeURIComponent(name)}/consent-link`} />
      </div>
      <Refusal error={link.error} />
      {link.data && (
        <>
          <div className={styles.line}>
            <OutButton appearance="primary" to={link.data.url}>
              {t("consentOpen")}
            </OutButton>
          </div>
          <Code text={link.data.url} label={t("action.copy")} />
          <Text>{t("consentDay")}</Text>
          {!consented && <Text aria-live="polite">{t("consentWaiting")}</Text>}
        </>
      )}
    </Section>
  );
}
