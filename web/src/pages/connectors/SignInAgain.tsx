import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, client, type Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { ShowAs } from "../../components/ShowAs";
import { Failed, Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { Problem } from "../../api/problem";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AuthorizeDialog } from "../connect/AuthorizeDialog";
import { Checks } from "../connect/Checks";
import { proofOf } from "../connect/cli";
import { ConnectedCard } from "../connect/ConnectedCard";
import { begin, forget, READS, SECRET, type Begin, type WizardView } from "../connect/data";
import { DeviceCode } from "../connect/DeviceCode";
import { Hints } from "../connect/Hints";
import { bodyOf, faultsOf, isKept, NO_IDENTITY, type Identity } from "../connect/identity";
import { IdentityFields } from "../connect/IdentityFields";
import { MethodFields, OWN_APP, PersonFields, type Flow } from "../connect/MethodFields";
import { forbidden } from "../connect/refusals";
import "./texts";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS },
});

/** `/connectors/$name/sign-in`: the same or a different account takes the place of the old one (SRE-20). */
export function SignInAgain() {
  const { name = "" }: { name?: string } = useParams({ strict: false });
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  const connector = api.useQuery("get", "/connectors/{name}", { params: { path: { name } } });
  return (
    <Page
      title={t("again.title", { name })}
      about={t("again.about")}
      trail={
        <TextLink to="/connectors/$name" params={{ name }}>
          {name}
        </TextLink>
      }
    >
      {may ? <Loaded query={connector}>{(view) => <Form connector={view} />}</Loaded> : <Failed error={forbidden()} />}
    </Page>
  );
}

function Form({ connector }: { connector: Schemas["ConnectorView"] }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connectors");
  const words = useTexts("connect");
  const tell = useTell();
  const navigate = useNavigate();
  const [identity, setIdentity] = useState<Identity>({ ...NO_IDENTITY, method: connector.method });
  const [flow, setFlow] = useState<Flow>(connector.service === "microsoft-365" ? "device-code" : "code");
  const [app, setApp] = useState(OWN_APP);
  const [asked, setAsked] = useState<Begin>();
  const [wizard, setWizard] = useState<WizardView>();
  const [strict, setStrict] = useState(false);
  const page = { to: "/connectors/$name", params: { name: connector.name } } as const;
  const person = identity.method === "user";
  const kind = connector.service === "microsoft-365" ? "microsoft-365" : "azure-devops";

  const replace = useMutation({
    ...READS,
    mutationFn: async (id: string) => {
      await client.POST("/connect/{id}/add", { params: { path: { id } }, body: { connectors: [] } });
    },
    onSuccess: async () => {
      await queries.invalidateQueries();
      tell(t("again.done", { name: connector.name }));
      await navigate(page);
    },
  });
  const unattended = useMutation({ mutationFn: begin, ...READS, ...SECRET, onSuccess: ({ id }) => replace.mutate(id) });
  const request = (): Begin => ({
    service: connector.service,
    connector: connector.name,
    ...(person && {
      method: "user",
      flow,
      ...(app.profile !== "" && { app_profile: app.profile }),
      ...(app.clientId.trim() !== "" && { client_id: app.clientId.trim() }),
      ...(app.tenant.trim() !== "" && { tenant: app.tenant.trim() }),
    }),
    ...(!person && isKept(identity.method) && identity.stored !== ""
      ? { method: "stored", credential: identity.stored }
      : !person && {
          method: identity.method,
          identity: bodyOf(identity),
          organization: connector.organization,
          ...(connector.url && { url: connector.url }),
        }),
  }) as Begin;
  const go = () => {
    setStrict(true);
    if (Object.keys(faultsOf(identity)).length === 0) unattended.mutate(request());
  };
  const drop = () => {
    if (wizard) void forget(wizard.id).catch(() => undefined);
    setWizard(undefined);
    setAsked(undefined);
  };
  const done = (signed: WizardView) => {
    setAsked(undefined);
    setWizard(signed);
  };
  const busy = replace.isPending || unattended.isPending;
  const error = replace.error ?? unattended.error;
  const checks = error ? (Problem.from(error).body.checks ?? []) : [];
  return (
    <div className={`${form.form} ${form.narrow}`}>
      <Text>{t("again.account", { method: t(`method.${connector.method}`), credential: connector.credential })}</Text>
      <MethodFields
        service={connector.service}
        method={identity.method}
        onChange={(method) => {
          drop();
          setIdentity((before) => ({ ...before, method, stored: "" }));
        }}
      />
      {person && !wizard && (
        <>
          <PersonFields
            service={connector.service}
            flow={flow}
            onFlow={(value) => {
              setAsked(undefined);
              setFlow(value);
            }}
            app={app}
            onApp={(change) => setApp((before) => ({ ...before, ...change }))}
          />
          <Hints service={connector.service} abouts={["personal-account"]} />
        </>
      )}
      {!person && <IdentityFields identity={identity} onChange={(change) => setIdentity((before) => ({ ...before, ...change }))} strict={strict} />}
      {wizard && <ConnectedCard title={words(`kind.${kind}.done`)} account={wizard.account ?? ""} person onDifferent={drop} />}
      {asked?.flow === "code" && (
        <AuthorizeDialog request={asked} organization={connector.organization} onDone={done} onCancel={() => setAsked(undefined)} />
      )}
      {asked?.flow === "device-code" && (
        <DeviceCode
          request={asked}
          organization={connector.organization}
          onDone={done}
          onWindow={() => {
            setAsked(undefined);
            setFlow("code");
          }}
          onOwnApp={() => {
            setAsked(undefined);
            setIdentity((before) => ({ ...before, method: "certificate" }));
          }}
        />
      )}
      <Refusal error={error} />
      {checks.length > 0 && <Checks checks={checks} />}
      <Text aria-live="polite">{busy && t("again.replacing")}</Text>
      <div className={styles.actions}>
        {person && !wizard && !asked && (
          <Button appearance="primary" onClick={() => setAsked(request())}>
            {flow === "code" ? words(`kind.${kind}.signIn`) : words("signIn.getCode")}
          </Button>
        )}
        {(wizard || !person) && (
          <Button appearance="primary" disabled={busy} onClick={() => (wizard ? replace.mutate(wizard.id) : go())}>
            {t("again.replace")}
          </Button>
        )}
        {person && (
          <ShowAs
            cli={["connector", "sign-in", connector.name, ...proofOf(identity, flow)]}
            method="POST"
            path="/connect"
            body={request()}
          />
        )}
        <Button
          appearance="subtle"
          disabled={busy}
          onClick={() => {
            drop();
            void navigate(page);
          }}
        >
          {t("action.cancel")}
        </Button>
      </div>
    </div>
  );
}
