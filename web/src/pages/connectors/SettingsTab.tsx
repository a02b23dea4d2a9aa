import { Button, Dropdown, Field, Input, makeStyles, Option, Text, tokens } from "@fluentui/react-components";
import { PersonArrowLeftRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { isServer } from "../connect/address";
import { Checks } from "../connect/Checks";
import { NameField, useNameFault } from "../connect/NameField";
import { parsePlace, PlaceField, useTaken } from "../connect/PlaceField";
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
  const tell = useTell();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(() => draftOf(connector));
  const nameFault = useNameFault(connector.name);
  const save = api.useMutation("patch", "/connectors/{name}", {
    onSuccess: (_, { body }) => {
      const name = body.name ?? connector.name;
      tell(t("settings.saved", { name }));
      // Its page is elsewhere now.
      if (name !== connector.name) void navigate({ to: "/connectors/$name", params: { name }, search: { tab: "settings" } as never, replace: true });
    },
  });
  const kind = kindOfConnector(connector);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const edit = editOf(connector, draft);
  const parsed = parsePlace(kind.place, draft.organization);
  const organization = "ok" in parsed ? parsed.ok.organization : undefined;
  const taken = useTaken(kind, organization, connector.method, connector.name);
  const changed = Object.keys(edit).length > 0;
  const named = nameFault(draft.name) === undefined;
  const fits = named && organization !== undefined && !taken && (draft.url === "" || isServer(draft.url)) && bodyOfSync(draft.sync) !== undefined;
  const checks = save.error ? (Problem.from(save.error).body.checks ?? []) : (save.data?.checks ?? []);
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
      <Section title={t("settings.place")}>
        <PlaceField
          kind={{ ...kind, place: kind.place === "collection" ? "collection" : kind.place }}
          value={draft.organization}
          onChange={(value) => set({ organization: value })}
          method={connector.method}
          own={connector.name}
        />
        {(connector.url || connector.method === "pat") && (
          <Field label={t("settings.url")} hint={t("settings.urlHint")}>
            <Input type="url" value={draft.url} onChange={(_, { value }) => set({ url: value })} />
          </Field>
        )}
        <CredentialField service={connector.service} value={draft.credential} onChange={(credential) => set({ credential })} />
        <div className={styles.actions}>
          <Button
            icon={<PersonArrowLeftRegular />}
            onClick={() => void navigate({ to: "/connectors/$name/sign-in", params: { name: connector.name } })}
          >
            {t(connector.method === "user" ? "settings.signIn" : "settings.signInAgain")}
          </Button>
          <Text size={200}>{t("settings.signInHint")}</Text>
        </div>
        <RestoreField value={draft.restore} onChange={(restore) => set({ restore })} />
      </Section>
      <Section title={t("fact.sync")}>
        <SyncFields sync={draft.sync} onChange={(sync) => set({ sync })} />
      </Section>
      <Section title={t("fact.worker")}>
        <WorkerField connector={connector.name} value={draft.worker} onChange={(worker) => set({ worker })} />
      </Section>
      <Refusal error={save.error} />
      {checks.length > 0 && <Checks checks={checks} />}
      <div className={styles.actions}>
        <Button appearance="primary" type="submit" disabled={!changed || !fits || save.isPending}>
          {t("settings.save")}
        </Button>
        <ShowAs cli={cliOf(connector.name, edit)} method="PATCH" path={`/connectors/${encodeURIComponent(connector.name)}`} body={edit} />
        <Text aria-live="polite">{save.isPending ? t("settings.saving") : !changed && t("settings.unchanged")}</Text>
      </div>
    </form>
  );
}

/** The credential that it signs in with: its own, or one of the Password Manager. */
function CredentialField({ service, value, onChange }: { service: string; value: string; onChange: (name: string) => void }) {
  const t = useTexts("connectors");
  const kept = api.useQuery("get", "/credentials", { params: { query: { limit: 200 } } }).data?.items ?? [];
  const fit = kept.filter(({ method }) => method !== "storage" && (service === "azure-devops" || method !== "pat"));
  return (
    <Field label={t("settings.credential")} hint={t("settings.credentialHint")}>
      <Dropdown value={value} selectedOptions={[value]} onOptionSelect={(_, { optionValue }) => optionValue && onChange(optionValue)}>
        {fit.map(({ name, method }) => (
          <Option key={name} value={name} text={name}>
            {`${name} (${t(`method.${method}`, { defaultValue: method })})`}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}
