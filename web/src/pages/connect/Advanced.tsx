import { Button, Dropdown, Field, makeStyles, Option, Text, tokens } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isServer, suggestName } from "./address";
import { Checks } from "./Checks";
import { addCli, shownBody } from "./cli";
import { SECRET, useConnectors, useMethods } from "./data";
import { Done } from "./Done";
import { Problem } from "../../api/problem";
import { bodyOf, faultsOf, isKept, NO_IDENTITY, type Identity } from "./identity";
import { IdentityFields } from "./IdentityFields";
import { NameField, useNameFault } from "./NameField";
import { parsePlace, PlaceField, useTaken } from "./PlaceField";
import { isComplete, pickOf, USUAL, type Settings } from "./settings";
import { SyncFields } from "./SyncFields";
import { RestoreField } from "./SettingsStep";
import "./texts";
import { kindOf, type Kind } from "./types";
import { forbidden } from "./refusals";
import { WorkerField } from "./WorkerField";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS },
});

/** `/connect/$kind/advanced`: everything on one page, without a person who signs in (XA-07 to XA-14). */
export function Advanced() {
  const { kind: name = "" }: { kind?: string } = useParams({ strict: false });
  const t = useTexts("connect");
  const may = useMay("manage-connectors");
  const [shown, setShown] = useShown();
  const [missing, setMissing] = useState<string[]>([]);
  const kind = kindOf(name) ?? kindOf("azure-devops");
  if (!kind) return null;
  const title = t("advanced.title", { title: t(`kind.${kind.name}.title`) });
  const done = shown["done"];
  return (
    <Page title={title} trail={<TextLink to="/connect">{t("title")}</TextLink>} about={t("advanced.about")}>
      {!may && <Failed error={forbidden()} />}
      {may && done !== undefined && <Done title={t(`kind.${kind.name}.done`)} names={[done]} missing={missing} />}
      {may && done === undefined && (
        <Form
          kind={kind}
          onDone={(added) => {
            setMissing(added.missing);
            setShown({ done: added.name });
          }}
        />
      )}
    </Page>
  );
}

function Form({ kind, onDone }: { kind: Kind; onDone: (added: { name: string; missing: string[] }) => void }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const connectors = useConnectors();
  const nameFault = useNameFault();
  const [name, setName] = useState("");
  const [place, setPlace] = useState("");
  const [url, setUrl] = useState("");
  const usualMethod = kind.service === "microsoft-365" ? "certificate" : "pat";
  const [identity, setIdentity] = useState<Identity>({ ...NO_IDENTITY, method: usualMethod });
  const [settings, setSettings] = useState<Settings>(USUAL);
  const [strict, setStrict] = useState(false);
  const parsed = parsePlace(kind.place, place);
  const organization = "ok" in parsed ? parsed.ok.organization : undefined;
  const taken = useTaken(kind, organization, identity.method);
  const add = api.useMutation("post", "/connectors", { ...SECRET, onSuccess: onDone });
  const named = name === "" || nameFault(name) === undefined;
  const reachable = kind.place !== "collection" || isServer(url);
  const ready = organization !== undefined && named && reachable && !taken && isComplete(settings);
  const called = name || suggestName(organization ?? "", connectors.map((one) => one.name));

  const stored = isKept(identity.method) && identity.stored !== "";
  const body: Schemas["AddConnector"] = {
    ...pickOf(place.trim(), called, settings),
    service: kind.service,
    ...(kind.place === "collection" && { url: url.trim() }),
    ...(stored ? { credential: identity.stored } : { identity: bodyOf(identity) }),
    ...(!stored && identity.keepAs !== "" && { credential_name: identity.keepAs.trim() }),
  };
  const proceed = () => {
    setStrict(true);
    if (ready && Object.keys(faultsOf(identity)).length === 0) add.mutate({ body });
  };
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }));
  const checks = add.error ? (Problem.from(add.error).body.checks ?? []) : [];

  return (
    <form
      noValidate
      className={`${form.form} ${form.narrow}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!add.isPending) proceed();
      }}
    >
      <Field label={t("method.authentication")}>
        <Dropdown value={t(`kind.${kind.name}.title`)} selectedOptions={[kind.name]} onOptionSelect={(_, { optionValue }) => optionValue && optionValue !== kind.name && void navigate({ to: "/connect/$kind/advanced", params: { kind: optionValue } })}>
          {["azure-devops", "azure-devops-server", "microsoft-365"].map((one) => (
            <Option key={one} value={one}>
              {t(`kind.${one}.title`)}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <UsingField kind={kind} method={identity.method} onChange={(method) => setIdentity((before) => ({ ...before, method, stored: "" }))} />
      <PlaceField kind={kind} value={place} onChange={setPlace} method={identity.method} url={url} onUrl={setUrl} />
      <NameField value={name} onChange={setName} optional />
      <IdentityFields identity={identity} onChange={(change) => setIdentity((before) => ({ ...before, ...change }))} strict={strict} withUser />
      <Section title={t("settings.sync")}>
        <SyncFields sync={settings.sync} onChange={(sync) => set({ sync })} />
      </Section>
      <Section title={t("settings.worker")}>
        <WorkerField connector={called} value={settings.worker} onChange={(worker) => set({ worker })} />
        <RestoreField value={settings.restore} onChange={(restore) => set({ restore })} />
      </Section>
      <Refusal error={add.error} />
      {checks.length > 0 && <Checks checks={checks} />}
      <div aria-live="polite">{add.isPending && <Text>{t("advanced.proceeding")}</Text>}</div>
      <div className={styles.actions}>
        <Button appearance="primary" type="submit" disabled={!ready || add.isPending}>
          {t("advanced.proceed")}
        </Button>
        <ShowAs
          cli={addCli({ service: kind.service, organization: place.trim(), name: called, url, identity, settings })}
          method="POST"
          path="/connectors"
          body={shownBody(body)}
        />
        <Button appearance="subtle" disabled={add.isPending} onClick={() => void navigate({ to: "/connect" })}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}

/** XA-08: “Username and Personal Access Token”, and the other ways that need nobody at the keyboard. */
function UsingField({ kind, method, onChange }: { kind: Kind; method: string; onChange: (method: string) => void }) {
  const t = useTexts("connect");
  const listed = useMethods(kind.service).data?.methods ?? [];
  const fit = listed.filter(({ name, person }) => !person && (!kind.methods || kind.methods.includes(name)));
  const title = (name: string) => (name === "pat" ? t("method.patUser") : (fit.find((one) => one.name === name)?.title ?? name));
  const ordered = fit.toSorted((a, b) => Number(b.name === "pat") - Number(a.name === "pat"));
  return (
    <Field label={t("method.using")}>
      <Dropdown value={title(method)} selectedOptions={[method]} onOptionSelect={(_, { optionValue }) => optionValue && onChange(optionValue)}>
        {ordered.map(({ name }) => (
          <Option key={name} value={name}>
            {title(name)}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}
