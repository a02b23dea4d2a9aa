import { Button, Dropdown, Field, makeStyles, Option, Text, tokens } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api, type Schemas } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isServer, organizationIn, suggestName } from "./address";
import { addCli, shownBody } from "./cli";
import { useConnectors, useMethods } from "./data";
import { Done } from "./Done";
import { bodyOf, isKept, NO_IDENTITY, type Identity } from "./identity";
import { IdentityFields } from "./IdentityFields";
import { NameField, useNameFault } from "./NameField";
import { PlaceField, useTaken } from "./PlaceField";
import { isWhole } from "./proof";
import { Refused } from "./Refused";
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
          key={kind.service}
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

interface FormProps {
  kind: Kind;
  onDone: (added: { name: string; missing: string[] }) => void;
}

function Form({ kind, onDone }: FormProps) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const draft = useDraft(kind);
  const { place, url, identity, settings, body } = draft;
  const [strict, setStrict] = useState(false);
  const add = api.useMutation("post", "/connectors", { onSuccess: onDone });
  const proceed = () => {
    setStrict(true);
    if (draft.ready && isWhole(draft)) add.mutate({ body });
  };
  return (
    <form
      noValidate
      className={`${form.form} ${form.narrow}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!add.isPending) proceed();
      }}
    >
      <KindField kind={kind} />
      <UsingField kind={kind} method={identity.method} onChange={(method) => draft.set({ identity: { ...identity, method, stored: "" } })} />
      <PlaceField kind={kind} value={place} onChange={(value) => draft.set({ place: value })} method={identity.method} url={url} onUrl={(value) => draft.set({ url: value })} />
      <NameField value={draft.name} onChange={(name) => draft.set({ name })} optional />
      <IdentityFields identity={identity} onChange={(change) => draft.set({ identity: { ...identity, ...change } })} strict={strict} withUser />
      <Section title={t("settings.sync")}>
        <SyncFields sync={settings.sync} onChange={(sync) => draft.setSettings({ sync })} />
      </Section>
      <Section title={t("settings.worker")}>
        <WorkerField connector={draft.called} value={settings.worker} onChange={(worker) => draft.setSettings({ worker })} />
        <RestoreField value={settings.restore} onChange={(restore) => draft.setSettings({ restore })} />
      </Section>
      <Refused error={add.error} />
      <div aria-live="polite">{add.isPending && <Text>{t("advanced.proceeding")}</Text>}</div>
      <Actions
        ready={draft.ready}
        busy={add.isPending}
        showAs={
          <ShowAs
            ready={draft.ready}
            cli={addCli({ service: kind.service, organization: place.trim(), name: draft.called, url, identity, settings })}
            method="POST"
            path="/connectors"
            body={shownBody(body)}
          />
        }
      />
    </form>
  );
}

interface Draft {
  name: string;
  place: string;
  url: string;
  identity: Identity;
  settings: Settings;
}

/** What is filled in, and what would be sent of it. */
function useDraft(kind: Kind) {
  const usual = kind.service === "microsoft-365" ? "certificate" : "pat";
  const [draft, setDraft] = useState<Draft>({ name: "", place: "", url: "", identity: { ...NO_IDENTITY, method: usual }, settings: USUAL });
  const names = useConnectors().map(({ name }) => name);
  const nameFault = useNameFault();
  const { name, place, url, identity, settings } = draft;
  const organization = organizationIn(kind.place, place);
  const taken = useTaken(kind, organization, identity.method);
  const named = name === "" || nameFault(name) === undefined;
  const reachable = kind.place !== "collection" || isServer(url);
  const called = name || suggestName(organization ?? "", names);
  const stored = isKept(identity.method) && identity.stored !== "";
  const body: Schemas["AddConnector"] = {
    ...pickOf(place.trim(), called, settings),
    service: kind.service,
    ...(kind.place === "collection" && { url: url.trim() }),
    ...(stored ? { credential: identity.stored } : { identity: bodyOf(identity) }),
    ...(!stored && identity.keepAs !== "" && { credential_name: identity.keepAs.trim() }),
  };
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const setSettings = (change: Partial<Settings>) => setDraft((before) => ({ ...before, settings: { ...before.settings, ...change } }));
  const ready = organization !== undefined && named && reachable && !taken && isComplete(settings);
  return { ...draft, called, ready, body, set, setSettings };
}

function Actions({ ready, busy, showAs }: { ready: boolean; busy: boolean; showAs: ReactNode }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  return (
    <div className={styles.actions}>
      <Button appearance="primary" type="submit" disabled={!ready || busy}>
        {t("advanced.proceed")}
      </Button>
      {showAs}
      <Button appearance="subtle" disabled={busy} onClick={() => void navigate({ to: "/connect" })}>
        {t("cancel")}
      </Button>
    </div>
  );
}

/** What to connect; another kind has a form of its own. */
function KindField({ kind }: { kind: Kind }) {
  const t = useTexts("connect");
  const navigate = useNavigate();
  const open = (name: string | undefined) => {
    if (name && name !== kind.name) void navigate({ to: "/connect/$kind/advanced", params: { kind: name } });
  };
  return (
    <Field label={t("method.authentication")}>
      <Dropdown value={t(`kind.${kind.name}.title`)} selectedOptions={[kind.name]} onOptionSelect={(_, { optionValue }) => open(optionValue)}>
        {["azure-devops", "azure-devops-server", "microsoft-365"].map((one) => (
          <Option key={one} value={one}>
            {t(`kind.${one}.title`)}
          </Option>
        ))}
      </Dropdown>
    </Field>
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
