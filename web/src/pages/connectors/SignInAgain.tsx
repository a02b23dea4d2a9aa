import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, client, type Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useWrite } from "../../api/write";
import { useFormStyles } from "../../components/form";
import { listed } from "../../components/format";
import { Page } from "../../components/Page";
import { ShowAs } from "../../components/ShowAs";
import { Failed, Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { Asked } from "../connect/Asked";
import { proofOf } from "../connect/cli";
import { begin, forget, READS, type Begin, type WizardView } from "../connect/data";
import { NO_IDENTITY } from "../connect/identity";
import { isPerson, isWhole, OWN_APP, type Proof, proofBody } from "../connect/proof";
import { ProofFields } from "../connect/ProofFields";
import { forbidden } from "../connect/refusals";
import { Refused } from "../connect/Refused";
import { othersOf } from "../vault/users";
import { useCredential, useCredentialWords } from "../vault/Words";
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

type Connector = Schemas["ConnectorView"];

function proofFor({ method, service }: Connector): Proof {
  return { identity: { ...NO_IDENTITY, method }, flow: service === "microsoft-365" ? "device-code" : "code", app: OWN_APP };
}

function requestFor(connector: Connector, proof: Proof): Begin {
  const said = proofBody(proof);
  return {
    service: connector.service,
    connector: connector.name,
    ...said,
    // A new credential is tried where the connector leads to.
    ...(said.identity && { organization: connector.organization, ...(connector.url && { url: connector.url }) }),
  };
}

/** Puts whom the wizard signed in in the place of the old one. */
function useReplace(connector: string, onDone: () => void) {
  const t = useTexts("connectors");
  const tell = useTell();
  return useWrite({
    ...READS,
    mutationFn: async (id: string) => {
      await client.POST("/connect/{id}/add", { params: { path: { id } }, body: { connectors: [] } });
    },
    onSuccess: async () => {
      await queries.invalidateQueries();
      tell(t("again.done", { name: connector }));
      onDone();
    },
  });
}

function Form({ connector }: { connector: Connector }) {
  const form = useFormStyles();
  const t = useTexts("connectors");
  const navigate = useNavigate();
  const [proof, setProof] = useState(() => proofFor(connector));
  const [asked, setAsked] = useState<Begin>();
  const [wizard, setWizard] = useState<WizardView>();
  const [strict, setStrict] = useState(false);
  const leave = () => void navigate({ to: "/connectors/$name", params: { name: connector.name } });
  const replace = useReplace(connector.name, leave);
  const unattended = useWrite({ mutationFn: begin, ...READS });
  const request = requestFor(connector, proof);
  const drop = () => {
    // What takes the place of the old one already cannot be called back.
    if (replace.isPending) return;
    if (wizard) void forget(wizard.id).catch(() => undefined);
    setWizard(undefined);
    setAsked(undefined);
    // It was about whom nobody wants any more.
    replace.reset();
    unattended.reset();
  };
  const change = (made: Partial<Proof>) => {
    if (replace.isPending) return;
    drop();
    setProof((before) => ({ ...before, ...made }));
  };
  const done = (signed: WizardView) => {
    setAsked(undefined);
    setWizard(signed);
  };
  const go = () => {
    setStrict(true);
    if (wizard) replace.mutate(wizard.id);
    // Not called once it was dropped, unlike a callback of the mutation itself.
    else if (isWhole(proof)) unattended.mutate(request, { onSuccess: ({ id }) => replace.mutate(id) });
  };
  const busy = replace.isPending || unattended.isPending;
  const proofs = { service: connector.service, kind: connector.service, proof, account: wizard && (wizard.account ?? ""), strict };
  return (
    <div className={`${form.form} ${form.narrow}`}>
      <Now connector={connector} />
      <ProofFields {...proofs} onProof={change} onDifferent={drop} />
      {asked && (
        <Asked request={asked} organization={connector.organization} proof={proof} onProof={change} onDone={done} onCancel={() => setAsked(undefined)} />
      )}
      <Refused error={replace.error ?? unattended.error} />
      <Text aria-live="polite">{busy && t("again.replacing")}</Text>
      <Actions
        connector={connector}
        proof={proof}
        request={request}
        state={busy ? "busy" : wizard || !isPerson(proof) ? "ready" : asked ? "asked" : "new"}
        onAsk={() => setAsked(request)}
        onReplace={go}
        onCancel={() => {
          drop();
          leave();
        }}
      />
    </div>
  );
}

/** As whom it signs in, and what else the new sign-in is for. */
function Now({ connector: { name, method, credential } }: { connector: Connector }) {
  const t = useTexts("connectors");
  const words = useCredentialWords();
  const found = useCredential(credential);
  const others = othersOf(found?.users, name);
  return (
    <>
      <Text>{t("again.account", { method: t(`method.${method}`), credential: found ? words(found) : credential })}</Text>
      {others.length > 0 && <Text weight="semibold">{t("again.others", { names: listed(others), count: others.length })}</Text>}
    </>
  );
}

interface ActionsProps {
  connector: Connector;
  proof: Proof;
  request: Begin;
  /** Nobody has signed in, a sign-in is under way, somebody has or need not, and the old one is being replaced. */
  state: "new" | "asked" | "ready" | "busy";
  onAsk: () => void;
  onReplace: () => void;
  onCancel: () => void;
}

function Actions({ connector, proof, request, state, onAsk, onReplace, onCancel }: ActionsProps) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const words = useTexts("connect");
  const { identity, flow } = proof;
  const busy = state === "busy";
  return (
    <div className={styles.actions}>
      {state === "new" && (
        <Button appearance="primary" onClick={onAsk}>
          {flow === "code" ? words(`kind.${connector.service}.signIn`) : words("signIn.getCode")}
        </Button>
      )}
      {(state === "ready" || busy) && (
        <Button appearance="primary" disabled={busy} onClick={onReplace}>
          {t("again.replace")}
        </Button>
      )}
      {isPerson(proof) && (
        <ShowAs cli={["connector", "sign-in", connector.name, ...proofOf(identity, flow)]} method="POST" path="/connect" body={request} />
      )}
      <Button appearance="subtle" disabled={busy} onClick={onCancel}>
        {t("action.cancel")}
      </Button>
    </div>
  );
}
