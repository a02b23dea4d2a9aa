import { Dropdown, Field, Input, makeStyles, Option, Subtitle2, Text, Textarea } from "@fluentui/react-components";
import { api } from "../../api/client";
import { CredentialField } from "../vault/CredentialField";
import { useFormStyles, wrong } from "../../components/form";
import { when } from "../../components/format";
import { OutLink } from "../../components/Outside";
import { useTexts } from "../../texts";
import { faultsOf, fieldsOf, isKept, isOfMachine, type Identity } from "./identity";
import { PemFiles } from "./PemFiles";
import "./texts";
import { IDENTITIES_PAGE } from "./types";

const useStyles = makeStyles({ title: { margin: 0 } });

interface Props {
  identity: Identity;
  onChange: (change: Partial<Identity>) => void;
  /** Say what is missing, also where nothing was typed yet. */
  strict: boolean;
  /** A name beside the token: advanced mode and servers. */
  withUser?: boolean;
  /** For a credential by itself: neither a kept one nor what to call it is asked for here. */
  alone?: boolean;
}

/** How a connector proves itself without a person at the keyboard: a kept credential, a new one, or the machine's identity. */
export function IdentityFields({ identity, onChange, strict, withUser = false, alone = false }: Props) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const { method } = identity;
  const faults = faultsOf(identity);
  const fresh = !isKept(method) || identity.stored === "";
  const fields = fresh ? fieldsOf(method) : [];
  const fault = (field: keyof Identity) => {
    const found = faults[field];
    return wrong(found !== undefined && (strict || found !== "missing") ? t(`identity.${found}`) : undefined);
  };
  const text = (field: keyof Identity, required = true) => (
    <Field key={field} label={t(`identity.${field}`)} hint={t(`identity.${field}Hint`, { defaultValue: "" }) || undefined} required={required} {...fault(field)}>
      <Input value={identity[field]} onChange={(_, { value }) => onChange({ [field]: value })} autoComplete="off" spellCheck={false} />
    </Field>
  );
  const optional = method === "managed-identity";
  return (
    <div className={form.form}>
      {isKept(method) && !alone && <KeptField identity={identity} onChange={onChange} />}
      {isOfMachine(method) && <MachineField identity={identity} onChange={onChange} />}
      {withUser && method === "pat" && fresh && text("user", false)}
      {optional && <Federated />}
      {(fields.includes("clientId") || fields.includes("tenant")) && (
        <div className={form.row}>
          {text("clientId", !optional)}
          {text("tenant", !optional)}
        </div>
      )}
      {fields.includes("tokenFile") && text("tokenFile")}
      {fields.includes("secret") && <SecretField identity={identity} onChange={onChange} fault={fault("secret")} />}
      {fields.includes("expires") && (
        <div className={form.row}>
          <Field label={t("identity.expires")} hint={t("identity.expiresHint")}>
            <Input type="date" value={identity.expires} onChange={(_, { value }) => onChange({ expires: value })} />
          </Field>
          {!alone && text("keepAs", false)}
        </div>
      )}
      {method === "workload-identity" && fresh && !alone && text("keepAs", false)}
    </div>
  );
}

/** SRE-23: the machine's identity may stand for an app of another tenant. */
function Federated() {
  const styles = useStyles();
  const t = useTexts("connect");
  return (
    <div>
      <Subtitle2 as="h2" block className={styles.title}>{t("identity.federated")}</Subtitle2>
      <Text block size={200}>
        {t("identity.federatedHint")}
      </Text>
    </div>
  );
}

/** A token, a secret, or the text of a certificate and its key, which may come from files. */
function SecretField({ identity: { method, secret }, onChange, fault }: Pick<Props, "identity" | "onChange"> & { fault: ReturnType<typeof wrong> }) {
  const t = useTexts("connect");
  const title = t(`identity.secret${pascal(method)}`);
  const hint = t(`identity.secret${pascal(method)}Hint`);
  if (method !== "certificate") {
    return (
      <Field label={title} hint={hint} required {...fault}>
        <Input type="password" value={secret} onChange={(_, { value }) => onChange({ secret: value })} autoComplete="off" />
      </Field>
    );
  }
  return (
    <>
      <Field label={title} hint={hint} required {...fault}>
        <Textarea rows={5} value={secret} onChange={(_, { value }) => onChange({ secret: value })} spellCheck={false} autoComplete="off" />
      </Field>
      <PemFiles onText={(text) => onChange({ secret: text })} />
    </>
  );
}

function pascal(method: string): string {
  return method === "client-secret" ? "Client-secret" : method.charAt(0).toUpperCase() + method.slice(1);
}

/** SRE-22: the machine's identities, and how to get one where there is none. */
function MachineField({ identity, onChange }: Pick<Props, "identity" | "onChange">) {
  const t = useTexts("connect");
  const listed = api.useQuery("get", "/connect/identities");
  const known = listed.data?.items ?? [];
  const value = (one: (typeof known)[number]) => one.client_id ?? "system";
  const title = (one: (typeof known)[number]) =>
    one.assigned === "system" ? t("identity.system") : t("identity.user_assigned", { title: one.title });
  const chosen = known.find((one) => value(one) === identity.managed);
  const how = <OutLink to={IDENTITIES_PAGE}>{t("identity.addIdentity")}</OutLink>;
  if (listed.data && known.length === 0) {
    return (
      <Text>
        {t("identity.noIdentities")} {how}
      </Text>
    );
  }
  return (
    <>
      <Field label={t("identity.managed")} hint={t("identity.noSignIn")} required>
        <Dropdown
          value={chosen ? title(chosen) : t("identity.system")}
          selectedOptions={[identity.managed]}
          onOptionSelect={(_, { optionValue }) => onChange({ managed: optionValue ?? "system" })}
        >
          {known.map((one) => (
            <Option key={value(one)} value={value(one)} text={title(one)}>
              {title(one)}
            </Option>
          ))}
        </Dropdown>
      </Field>
      {known.length > 0 && known.every(({ assigned }) => assigned === "system") && (
        <Text size={200}>
          {t("identity.onlySystem")} {how}
        </Text>
      )}
    </>
  );
}

/** XA-09: a credential of the Password Manager, so that no secret is typed twice. */
function KeptField({ identity, onChange }: Pick<Props, "identity" | "onChange">) {
  const t = useTexts("connect");
  return (
    <CredentialField
      label={t("identity.credential")}
      hint={t("identity.credentialHint")}
      none={t("identity.new")}
      value={identity.stored}
      onChange={(stored) => onChange({ stored })}
      fits={({ method }) => method === identity.method}
      words={({ expires, expiry }) => (expiry ? t(`identity.${expiry}`) : expires ? t("identity.expiresOn", { day: when(expires) }) : undefined)}
    />
  );
}
