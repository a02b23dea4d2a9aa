import { Button, Field, makeStyles, Spinner, Text, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useWrite } from "../../api/write";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { isName, isServer, organizationIn } from "./address";
import { Asked } from "./Asked";
import { begin, READS, useConnectors, type Begin, type WizardView } from "./data";
import { placed, requestOf, type ConnectionForm } from "./form";
import { NameField, useNameFault } from "./NameField";
import { PlaceField, useTaken } from "./PlaceField";
import { isPerson, isWhole, type Proof } from "./proof";
import { ProofFields } from "./ProofFields";
import type { Kind } from "./types";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  quiet: { color: tokens.colorNeutralForeground2 },
});

interface Props {
  kind: Kind;
  form: ConnectionForm;
  onForm: (change: Partial<ConnectionForm>) => void;
  /** As whom the wizard goes on already. */
  account: string | undefined;
  onDone: (wizard: WizardView) => void;
  /** Throws away the sign-in that there is. */
  onForget: () => void;
  onNext: () => void;
}

/** Where to, as whom: the first page of the wizard. */
export function ConnectionStep({ kind, form, onForm, account, onDone, onForget, onNext }: Props) {
  const layout = useFormStyles();
  const t = useTexts("connect");
  const [asked, setAsked] = useState(() => usuallyAsked(kind, form, account));
  const [strict, setStrict] = useState(false);
  const names = useConnectors().map(({ name }) => name);
  const state = useReadiness(kind, form);
  const unattended = useWrite({ mutationFn: begin, ...READS });
  const isTenant = kind.place === "tenant";
  const set = (change: Partial<ConnectionForm>) => {
    // Another place or another identity is another sign-in.
    if (account !== undefined && (change.place !== undefined || change.identity || change.url !== undefined)) onForget();
    // It was about what stood there before.
    unattended.reset();
    onForm(change);
  };
  const setProof = (change: Partial<Proof>) => {
    setAsked(undefined);
    set(change);
  };
  // Not called for a form that was changed meanwhile, unlike a callback of the mutation itself.
  const begun = (wizard: WizardView) => {
    onDone(wizard);
    onNext();
  };
  const go = () => {
    setStrict(true);
    if (!state.ready) return;
    if (account !== undefined) onNext();
    else if (isWhole(form)) unattended.mutate(requestOf(kind, form), { onSuccess: begun });
  };
  const different = () => {
    onForget();
    onForm({ different: true });
  };
  const signedIn = (wizard: WizardView) => {
    setAsked(undefined);
    onDone(wizard);
  };
  const asking = account === undefined && asked && (
    <Asked request={asked} organization={state.organization ?? ""} proof={form} onProof={setProof} onDone={signedIn} onCancel={() => setAsked(undefined)} />
  );
  const proofs = { service: kind.service, kind: kind.name, only: kind.methods, proof: form, account, strict, withUser: kind.place === "collection" };
  return (
    <div className={`${layout.form} ${layout.narrow}`}>
      {isTenant && asking}
      <NameField value={form.name} onChange={(name) => set({ name })} optional={isTenant && isPerson(form)} />
      <PlaceField
        kind={kind}
        value={form.place}
        onChange={(place) => set(placed(kind, form, place, names))}
        method={form.identity.method}
        url={form.url}
        onUrl={(url) => set({ url })}
      />
      <ProofFields {...proofs} onProof={setProof} onDifferent={different} />
      {!isTenant && asking}
      <Refusal error={unattended.error} />
      <div aria-live="polite">{unattended.isPending && <Spinner size="tiny" labelPosition="after" label={t("organizations.checkingOne")} />}</div>
      {isPerson(form) && account === undefined ? (
        !asked && <SignIn kind={kind} flow={form.flow} state={state} onAsk={() => setAsked(requestOf(kind, form))} />
      ) : (
        <Next disabled={!state.ready || unattended.isPending} onNext={go} />
      )}
    </div>
  );
}

/** XM-02: a tenant is usually connected by a code, which is there at once. */
function usuallyAsked(kind: Kind, form: ConnectionForm, account: string | undefined): Begin | undefined {
  const usual = kind.place === "tenant" && isPerson(form) && form.flow === "device-code" && account === undefined;
  return usual ? requestOf(kind, form) : undefined;
}

interface Readiness {
  organization: string | undefined;
  /** It is known where to connect to. */
  placed: boolean;
  /** Nothing is missing but the sign-in. */
  ready: boolean;
}

function useReadiness(kind: Kind, form: ConnectionForm): Readiness {
  const nameFault = useNameFault();
  const organization = organizationIn(kind.place, form.place);
  const taken = useTaken(kind, organization, form.identity.method);
  const isTenant = kind.place === "tenant";
  // A tenant is found by the sign-in of a person; everything else has to be named first (SRE-15).
  const known = organization !== undefined || (isTenant && isPerson(form) && form.place.trim() === "");
  const named = form.name === "" ? isTenant : isName(form.name) && nameFault(form.name) === undefined;
  const reachable = kind.place !== "collection" || isServer(form.url);
  return { organization, placed: known, ready: known && named && reachable && !taken };
}

interface SignInProps {
  kind: Kind;
  flow: ConnectionForm["flow"];
  state: Readiness;
  onAsk: () => void;
}

function SignIn({ kind, flow, state, onAsk }: SignInProps) {
  const styles = useStyles();
  const t = useTexts("connect");
  return (
    <div className={styles.actions}>
      <Field validationState={state.placed ? "none" : "warning"} validationMessage={state.placed ? undefined : t("signIn.organizationFirst")}>
        <Button appearance="primary" disabled={!state.ready} onClick={onAsk}>
          {flow === "code" ? t(`kind.${kind.name}.signIn`) : t("signIn.getCode")}
        </Button>
      </Field>
      {!state.placed && (
        <Text size={200} className={styles.quiet}>
          {t("signIn.organizationFirstAdvice")}
        </Text>
      )}
    </div>
  );
}

function Next({ disabled, onNext }: { disabled: boolean; onNext: () => void }) {
  const t = useTexts("connect");
  return (
    <div>
      <Button appearance="primary" disabled={disabled} onClick={onNext}>
        {t("action.next")}
      </Button>
    </div>
  );
}
