import { Button, Field, Input, makeStyles, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { CredentialField } from "../vault/CredentialField";
import { ExplainedRadio } from "../../components/ExplainedRadio";
import { refusedAt, useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Failed, Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { forbidden } from "../connect/refusals";
import { Narrower } from "./Narrower";
import { PermissionTable } from "./PermissionTable";
import "./texts";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS },
});

interface Draft {
  service: string;
  mode: "modern" | "own";
  name: string;
  tenant: string;
  client: string;
  credential: string;
}

const EMPTY = { name: "", tenant: "", client: "", credential: "" };

/** `/new/app`: the service, the way to set it up, the tenant; consent is the next page (AV-08). */
export function NewApp() {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("apps");
  const navigate = useNavigate();
  // What was chosen first is in the address: the browser's way back leads there, and a page that is loaded anew asks for the same.
  const [shown, show] = useShown();
  const [typed, setTyped] = useState(EMPTY);
  const may = useMay("manage-connectors");
  const draft: Draft = { ...typed, service: shown["service"] ?? "azure-devops", mode: shown["mode"] === "own" ? "own" : "modern" };
  return (
    <Page title={t("new.title")} about={t("new.about")} trail={<TextLink to="/apps">{t("title")}</TextLink>}>
      {!may ? (
        <Failed error={forbidden()} />
      ) : shown["step"] === "tenant" ? (
        <Second draft={draft} set={(change) => setTyped((before) => ({ ...before, ...change }))} onBack={() => show({ step: undefined }, "push")} />
      ) : (
        <div className={`${form.form} ${form.narrow}`}>
          <Field label={t("new.service")} required>
            <RadioGroup value={draft.service} onChange={(_, { value }) => show({ service: value })}>
              {["azure-devops", "microsoft-365"].map((one) => (
                <Radio key={one} value={one} label={t(`services.${one}`)} />
              ))}
            </RadioGroup>
          </Field>
          <Field label={t("new.mode")} required>
            <RadioGroup value={draft.mode} onChange={(_, { value }) => show({ mode: value })}>
              <ExplainedRadio value="modern" title={t("new.modern")} about={[t("new.modernAbout")]} />
              <ExplainedRadio value="own" title={t("new.custom")} about={[t("new.customAbout")]} />
            </RadioGroup>
          </Field>
          <div className={styles.actions}>
            <Button appearance="primary" onClick={() => show({ step: "tenant" }, "push")}>
              {t("new.next")}
            </Button>
            <Button appearance="subtle" onClick={() => void navigate({ to: "/apps" })}>
              {t("action.cancel")}
            </Button>
          </div>
        </div>
      )}
    </Page>
  );
}

interface SecondProps {
  draft: Draft;
  set: (change: Partial<typeof EMPTY>) => void;
  onBack: () => void;
}

/** What is saved of the draft; a profile of one's own names its app. */
function bodyOf({ mode, name, service, tenant, client, credential }: Draft) {
  const own = mode === "own" && { client_id: client.trim(), ...(credential !== "" && { credential }) };
  return { name: name.trim(), service, tenant: tenant.trim(), ...own };
}

function Second({ draft, set, onBack }: SecondProps) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("apps");
  const navigate = useNavigate();
  const permissions = api.useQuery("get", "/app-permissions", { params: { query: { service: draft.service } } });
  const add = api.useMutation("post", "/app-profiles", {
    onSuccess: ({ name }) => navigate({ to: "/apps/$name", params: { name } }),
  });
  const body = bodyOf(draft);
  const ready = body.name !== "" && body.tenant !== "" && body.client_id !== "";
  const cli = ["app-profile", "add", body.name, "--service", body.service, "--tenant", body.tenant, ...(body.client_id ? ["--client-id", body.client_id] : [])];
  return (
    <div className={form.form}>
      <form
        noValidate
        className={`${form.form} ${form.narrow}`}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !add.isPending) add.mutate({ body });
        }}
      >
        <AppFields draft={draft} set={set} error={add.error} />
        <Refusal error={add.error} />
        <div className={styles.actions}>
          <Button appearance="primary" type="submit" disabled={!ready || add.isPending}>
            {t("new.create")}
          </Button>
          <Button disabled={add.isPending} onClick={onBack}>
            {t("new.back")}
          </Button>
          <ShowAs ready={ready} cli={cli} method="POST" path="/app-profiles" body={body} />
        </div>
      </form>
      <Section title={t("new.permissions")}>
        <Loaded query={permissions}>{({ items }) => <PermissionTable permissions={items} />}</Loaded>
      </Section>
      <Narrower service={draft.service} />
    </div>
  );
}

function AppFields({ draft, set, error }: Omit<SecondProps, "onBack"> & { error: unknown }) {
  const t = useTexts("apps");
  const at = refusedAt(error);
  return (
    <>
      <Field label={t("new.name")} hint={t("new.nameHint")} required {...at("/name")}>
        <Input value={draft.name} onChange={(_, { value }) => set({ name: value })} autoComplete="off" />
      </Field>
      <Field label={t("new.tenant")} hint={t("new.tenantHint")} required {...at("/tenant")}>
        <Input value={draft.tenant} onChange={(_, { value }) => set({ tenant: value })} autoComplete="off" spellCheck={false} />
      </Field>
      {draft.mode === "own" && (
        <>
          <Field label={t("new.client")} required {...at("/client_id")}>
            <Input value={draft.client} onChange={(_, { value }) => set({ client: value })} autoComplete="off" spellCheck={false} />
          </Field>
          <CredentialField
            label={t("new.credential")}
            hint={t("new.credentialHint")}
            none={t("new.noCredential")}
            value={draft.credential}
            onChange={(credential) => set({ credential })}
            fits={({ method }) => method === "client-secret" || method === "certificate"}
          />
        </>
      )}
    </>
  );
}
