import { Button, Field, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useMutation } from "@tanstack/react-query";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { isName, isServer, suggestName } from "./address";
import { AuthorizeDialog } from "./AuthorizeDialog";
import { ConnectedCard } from "./ConnectedCard";
import { begin, READS, SECRET, useConnectors, type Begin, type WizardView } from "./data";
import { DeviceCode } from "./DeviceCode";
import { organizationOf, requestOf, type ConnectionForm } from "./form";
import { Hints } from "./Hints";
import { faultsOf, type Identity } from "./identity";
import { IdentityFields } from "./IdentityFields";
import { MethodFields, PersonFields } from "./MethodFields";
import { NameField, useNameFault } from "./NameField";
import { PlaceField, useTaken } from "./PlaceField";
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
  const styles = useStyles();
  const layout = useFormStyles();
  const t = useTexts("connect");
  // XM-02: a tenant is usually connected by a code, which is there at once.
  const usual = kind.place === "tenant" && form.identity.method === "user" && form.flow === "device-code" && account === undefined;
  const [asked, setAsked] = useState<Begin | undefined>(usual ? requestOf(kind, form) : undefined);
  const [strict, setStrict] = useState(false);
  const nameFault = useNameFault();
  const names = useConnectors().map(({ name }) => name);
  const { identity } = form;
  const person = identity.method === "user";
  const organization = organizationOf(kind, form);
  const taken = useTaken(kind, organization, identity.method);
  const unattended = useMutation({ mutationFn: begin, ...READS, ...SECRET, onSuccess: onDone });
  const isTenant = kind.place === "tenant";
  // A tenant is found by the sign-in of a person; everything else has to be named first (SRE-15).
  const placed = organization !== undefined || (isTenant && person && form.place.trim() === "");
  const named = form.name === "" ? isTenant : isName(form.name) && nameFault(form.name) === undefined;
  const reachable = kind.place !== "collection" || isServer(form.url);
  const ready = placed && named && reachable && !taken;

  const set = (change: Partial<ConnectionForm>) => {
    // Another place or another identity is another sign-in.
    if (account !== undefined && (change.place !== undefined || change.identity || change.url !== undefined)) onForget();
    onForm(change);
  };
  /** The name follows the organization until somebody chooses another. */
  const setPlace = (place: string) => {
    const follow = (text: string) => {
      const there = organizationOf(kind, { ...form, place: text });
      return there === undefined ? "" : suggestName(there, names);
    };
    const own = form.name !== "" && form.name !== follow(form.place);
    set({ place, ...(!own && { name: follow(place) }) });
  };
  const setIdentity = (change: Partial<Identity>) => {
    setAsked(undefined);
    set({ identity: { ...identity, ...change } });
  };
  const go = () => {
    setStrict(true);
    if (!ready) return;
    if (account !== undefined) onNext();
    else if (Object.keys(faultsOf(identity)).length === 0) unattended.mutate(requestOf(kind, form), { onSuccess: onNext });
  };
  const different = () => {
    onForget();
    onForm({ different: true });
  };
  const signedIn = (wizard: WizardView) => {
    setAsked(undefined);
    onDone(wizard);
  };

  const device = account === undefined && asked?.flow === "device-code" && (
    <DeviceCode
      request={asked}
      organization={organization ?? ""}
      onDone={signedIn}
      onWindow={() => {
        setAsked(undefined);
        set({ flow: "code" });
      }}
      onOwnApp={() => setIdentity({ method: "certificate" })}
    />
  );

  return (
    <div className={`${layout.form} ${layout.narrow}`}>
      {isTenant && device}
      <NameField value={form.name} onChange={(name) => set({ name })} optional={isTenant && person} />
      <PlaceField
        kind={kind}
        value={form.place}
        onChange={setPlace}
        method={identity.method}
        url={form.url}
        onUrl={(url) => set({ url })}
      />
      <MethodFields service={kind.service} only={kind.methods} method={identity.method} onChange={(method) => setIdentity({ method })} />
      {person ? (
        <>
          {account === undefined && (
            <PersonFields
              service={kind.service}
              flow={form.flow}
              onFlow={(flow) => {
                setAsked(undefined);
                set({ flow });
              }}
              app={form.app}
              onApp={(change) => {
                setAsked(undefined);
                set({ app: { ...form.app, ...change } });
              }}
            />
          )}
          {account === undefined && form.flow === "device-code" && (
            <Hints service={kind.service} abouts={["personal-account", "consent"]} />
          )}
        </>
      ) : (
        <IdentityFields identity={identity} onChange={setIdentity} strict={strict} withUser={kind.place === "collection"} />
      )}
      {account !== undefined && (
        <ConnectedCard title={t(`kind.${kind.name}.done`)} account={account} person={person} onDifferent={different} />
      )}
      {!isTenant && device}
      {account === undefined && asked?.flow === "code" && (
        <AuthorizeDialog request={asked} organization={organization ?? ""} onDone={signedIn} onCancel={() => setAsked(undefined)} />
      )}
      <Refusal error={unattended.error} />
      <div className={styles.actions}>
        {person && account === undefined ? (
          !asked && (
            <Field validationState={placed ? "none" : "warning"} validationMessage={placed ? undefined : t("signIn.organizationFirst")}>
              <Button appearance="primary" disabled={!ready} onClick={() => setAsked(requestOf(kind, form))}>
                {form.flow === "code" ? t(`kind.${kind.name}.signIn`) : t("signIn.getCode")}
              </Button>
            </Field>
          )
        ) : (
          <Button appearance="primary" disabled={!ready || unattended.isPending} onClick={go}>
            {t("action.next")}
          </Button>
        )}
        {!placed && person && account === undefined && (
          <Text size={200} className={styles.quiet}>
            {t("signIn.organizationFirstAdvice")}
          </Text>
        )}
      </div>
    </div>
  );
}
