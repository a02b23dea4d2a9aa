import { Button, Dropdown, Field, Input, makeStyles, Option, Radio, RadioGroup, Text, tokens } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { refusedAt, useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { Narrower } from "./Narrower";
import { PermissionTable } from "./PermissionTable";
import "./texts";

const useStyles = makeStyles({
  words: { display: "flex", flexDirection: "column", maxWidth: "72ch" },
  quiet: { color: tokens.colorNeutralForeground2 },
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

const EMPTY: Draft = { service: "azure-devops", mode: "modern", name: "", tenant: "", client: "", credential: "" };

/** `/apps/new`: the service, the way to set it up, the tenant; consent is the next page (AV-08). */
export function NewApp() {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("apps");
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [second, setSecond] = useState(false);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  return (
    <Page title={t("new.title")} about={t("new.about")} trail={<TextLink to="/apps">{t("title")}</TextLink>}>
      {second ? (
        <Second draft={draft} set={set} onBack={() => setSecond(false)} />
      ) : (
        <div className={`${form.form} ${form.narrow}`}>
          <Field label={t("new.service")} required>
            <RadioGroup value={draft.service} onChange={(_, { value }) => set({ service: value })}>
              {["azure-devops", "microsoft-365"].map((one) => (
                <Radio key={one} value={one} label={t(`services.${one}`)} />
              ))}
            </RadioGroup>
          </Field>
          <Field label={t("new.mode")} required>
            <RadioGroup value={draft.mode} onChange={(_, { value }) => set({ mode: value as Draft["mode"] })}>
              {(["modern", "custom"] as const).map((mode) => (
                <Radio
                  key={mode}
                  value={mode === "custom" ? "own" : mode}
                  label={
                    <span className={styles.words}>
                      <Text weight="semibold">{t(`new.${mode}`)}</Text>
                      <Text size={200} className={styles.quiet}>
                        {t(`new.${mode}About`)}
                      </Text>
                    </span>
                  }
                />
              ))}
            </RadioGroup>
          </Field>
          <div className={styles.actions}>
            <Button appearance="primary" onClick={() => setSecond(true)}>
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

function Second({ draft, set, onBack }: { draft: Draft; set: (change: Partial<Draft>) => void; onBack: () => void }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("apps");
  const navigate = useNavigate();
  const permissions = api.useQuery("get", "/app-permissions", { params: { query: { service: draft.service } } });
  const kept = api.useQuery("get", "/credentials", { params: { query: { limit: 200 } } }).data?.items ?? [];
  const proofs = kept.filter(({ method }) => method === "client-secret" || method === "certificate");
  const add = api.useMutation("post", "/app-profiles", {
    onSuccess: ({ name }) => void navigate({ to: "/apps/$name", params: { name } }),
  });
  const own = draft.mode === "own";
  const body = {
    name: draft.name.trim(),
    service: draft.service,
    tenant: draft.tenant.trim(),
    ...(own && { client_id: draft.client.trim() }),
    ...(own && draft.credential !== "" && { credential: draft.credential }),
  };
  const ready = body.name !== "" && body.tenant !== "" && (!own || draft.client.trim() !== "");
  const at = refusedAt(add.error);
  const cli = ["app-profile", "add", body.name, "--service", draft.service, "--tenant", body.tenant, ...(own ? ["--client-id", draft.client.trim()] : [])];
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
        <Field label={t("new.name")} hint={t("new.nameHint")} required {...at("/name")}>
          <Input value={draft.name} onChange={(_, { value }) => set({ name: value })} autoComplete="off" />
        </Field>
        <Field label={t("new.tenant")} hint={t("new.tenantHint")} required {...at("/tenant")}>
          <Input value={draft.tenant} onChange={(_, { value }) => set({ tenant: value })} autoComplete="off" spellCheck={false} />
        </Field>
        {own && (
          <>
            <Field label={t("new.client")} required {...at("/client_id")}>
              <Input value={draft.client} onChange={(_, { value }) => set({ client: value })} autoComplete="off" spellCheck={false} />
            </Field>
            <Field label={t("new.credential")} hint={t("new.credentialHint")}>
              <Dropdown
                value={draft.credential || t("new.noCredential")}
                selectedOptions={[draft.credential || "*"]}
                onOptionSelect={(_, { optionValue }) => set({ credential: optionValue === "*" ? "" : (optionValue ?? "") })}
              >
                <Option value="*">{t("new.noCredential")}</Option>
                {proofs.map(({ name }) => (
                  <Option key={name} value={name}>
                    {name}
                  </Option>
                ))}
              </Dropdown>
            </Field>
          </>
        )}
        <Refusal error={add.error} />
        <div className={styles.actions}>
          <Button appearance="primary" type="submit" disabled={!ready || add.isPending}>
            {t("new.create")}
          </Button>
          <Button disabled={add.isPending} onClick={onBack}>
            {t("new.back")}
          </Button>
          <ShowAs cli={cli} method="POST" path="/app-profiles" body={body} />
        </div>
      </form>
      <Section title={t("new.permissions")}>
        <Loaded query={permissions}>{({ items }) => <PermissionTable permissions={items} />}</Loaded>
      </Section>
      <Narrower service={draft.service} />
    </div>
  );
}
