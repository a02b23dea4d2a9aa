import { Button, Field, Input, makeStyles, Text, tokens } from "@fluentui/react-components";
import { PersonArrowLeftRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { api, type Schemas } from "../../api/client";
import { CredentialField } from "../vault/CredentialField";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { TextLink } from "../../components/TextLink";
import { useTell } from "../../components/tell";
import { useTyped } from "../../components/typed";
import { useTexts } from "../../texts";
import { isServer, organizationIn } from "../connect/address";
import { NameField, useNameFault } from "../connect/NameField";
import { PlaceField, useTaken } from "../connect/PlaceField";
import { Refused } from "../connect/Refused";
import { RestoreField } from "../connect/SettingsStep";
import { bodyOfSync } from "../connect/sync";
import { SyncFields } from "../connect/SyncFields";
import { kindOf, type Kind } from "../connect/types";
import { WorkerField } from "../connect/WorkerField";
import { cliOf, draftOf, editOf, type Draft } from "./edit";
import "./texts";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
});

function kindOfConnector({ service, url }: Schemas["ConnectorView"]): Kind {
  const name = service === "azure-devops" && url ? "azure-devops-server" : service;
  const kind = kindOf(name) ?? kindOf("azure-devops");
  if (!kind) throw new Error("the kinds are fixed");
  return kind;
}

/** SRE-41: the current values; organization, sign-in and identity can be changed, and are checked before they are saved. */
export function SettingsTab({ connector }: { connector: Schemas["ConnectorView"] }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connectors");
  const { draft, change: set, saved } = useTyped(draftOf(connector));
  const edit = editOf(connector, draft);
  const changed = Object.keys(edit).length > 0;
  const fits = useFits(connector, draft);
  const save = useSave(connector.name, saved);
  return (
    <form
      noValidate
      className={`${form.form} ${form.narrow}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (changed && fits && !save.isPending) save.mutate({ params: { path: { name: connector.name } }, body: edit });
      }}
    >
      <NameField value={draft.name} own={connector.name} onChange={(name) => set({ name })} />
      <PlacePart connector={connector} draft={draft} onChange={set} />
      <Section title={t("fact.sync")}>
        <SyncFields sync={draft.sync} onChange={(sync) => set({ sync })} />
      </Section>
      <Section title={t("fact.worker")}>
        <WorkerField connector={connector.name} value={draft.worker} onChange={(worker) => set({ worker })} />
      </Section>
      {connector.service === "microsoft-365" && (
        <TextLink to="/connectors/$name" params={{ name: connector.name }} search={{ tab: "tenant" }}>
          {t("settings.tenant")}
        </TextLink>
      )}
      <Refused error={save.error} passed={save.data?.checks} />
      <div className={styles.actions}>
        <Button appearance="primary" type="submit" disabled={!changed || !fits || save.isPending}>
          {t("settings.save")}
        </Button>
        <ShowAs ready={fits} cli={cliOf(connector.name, edit)} method="PATCH" path={`/connectors/${encodeURIComponent(connector.name)}`} body={edit} />
        <Text aria-live="polite">{save.isPending ? t("settings.saving") : !changed && t("settings.unchanged")}</Text>
      </div>
    </form>
  );
}

/** Whether what was typed can be saved. */
function useFits(connector: Schemas["ConnectorView"], draft: Draft): boolean {
  const nameFault = useNameFault(connector.name);
  const kind = kindOfConnector(connector);
  const organization = organizationIn(kind.place, draft.organization);
  const taken = useTaken(kind, organization, connector.method, connector.name);
  const reachable = draft.url === "" || isServer(draft.url);
  return nameFault(draft.name) === undefined && organization !== undefined && !taken && reachable && bodyOfSync(draft.sync) !== undefined;
}

function useSave(before: string, onSaved: () => Promise<void>) {
  const t = useTexts("connectors");
  const tell = useTell();
  const navigate = useNavigate();
  return api.useMutation("patch", "/connectors/{name}", {
    onSuccess: async (_, { body }) => {
      const name = body.name ?? before;
      tell(t("settings.saved", { name }));
      if (name === before) await onSaved();
      // Its page is elsewhere now.
      else await navigate({ to: "/connectors/$name", params: { name }, search: { tab: "settings" } as never, replace: true });
    },
  });
}

interface PlaceProps {
  connector: Schemas["ConnectorView"];
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
}

/** Where to, and as whom. */
function PlacePart({ connector, draft, onChange }: PlaceProps) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const navigate = useNavigate();
  return (
    <Section title={t("settings.place")}>
      <PlaceField
        kind={kindOfConnector(connector)}
        value={draft.organization}
        onChange={(organization) => onChange({ organization })}
        method={connector.method}
        own={connector.name}
      />
      {(connector.url || connector.method === "pat") && (
        <Field label={t("settings.url")} hint={t("settings.urlHint")}>
          <Input type="url" value={draft.url} onChange={(_, { value }) => onChange({ url: value })} />
        </Field>
      )}
      <CredentialField
        label={t("settings.credential")}
        hint={t("settings.credentialHint")}
        value={draft.credential}
        onChange={(credential) => onChange({ credential })}
        fits={({ method }) => method !== "storage" && (connector.service === "azure-devops" || method !== "pat")}
      />
      <div className={styles.actions}>
        <Button
          icon={<PersonArrowLeftRegular />}
          onClick={() => void navigate({ to: "/connectors/$name/sign-in", params: { name: connector.name } })}
        >
          {t(connector.method === "user" ? "settings.signIn" : "settings.signInAgain")}
        </Button>
        <Text size={200}>{t("settings.signInHint")}</Text>
      </div>
      <RestoreField value={draft.restore} onChange={(restore) => onChange({ restore })} />
    </Section>
  );
}
