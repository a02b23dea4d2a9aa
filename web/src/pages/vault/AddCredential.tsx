import { Field, Input, Select } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { shownBody } from "../connect/cli";
import { bodyOf, type Identity, NO_IDENTITY } from "../connect/identity";
import { IdentityFields } from "../connect/IdentityFields";
import { isWhole } from "../connect/proof";
import { words } from "./command";
import "./texts";

const METHODS = ["pat", "client-secret", "certificate", "managed-identity", "federated-identity", "workload-identity"];
const PERSON = "user";

export function AddCredential({ onClose }: { onClose: () => void }) {
  const t = useTexts("vault");
  const tell = useTell();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [identity, setIdentity] = useState<Identity>({ ...NO_IDENTITY, method: "pat" });
  const [url, setUrl] = useState("");
  const [strict, setStrict] = useState(false);
  const add = api.useMutation("post", "/credentials", {
    onSuccess: async (added) => {
      tell(t("form.done", { name: added.name }));
      // The browser's way back leads not into the dialog again.
      await navigate({ to: "/vault/$name", params: { name: added.name }, replace: true });
    },
  });
  // The cloud's other ways to sign in lead nowhere else.
  const host = identity.method === "pat" ? url.trim() : "";
  const body = { name: name.trim(), identity: bodyOf(identity), ...(host !== "" && { url: host }) };
  const person = identity.method === PERSON;
  const nameless = strict && body.name === "" && { validationState: "error" as const };
  return (
    <FormDialog
      title={t("form.title")}
      submit={add.isPending ? t("form.busy") : t("form.submit")}
      busy={add.isPending}
      ready={!person}
      error={add.error}
      fields={["/name", "/url"]}
      showAs={
        !person && <ShowAs ready={body.name !== "" && isWhole({ identity })} cli={["credential", "add", body.name, ...words(body.identity), ...(host === "" ? [] : ["--url", host])]} method="POST" path="/credentials" body={shownBody(body)} />
      }
      onSubmit={() => (body.name !== "" && isWhole({ identity }) ? add.mutate({ body }) : setStrict(true))}
      onCancel={onClose}
    >
      <MethodField method={identity.method} onChange={(method) => setIdentity({ ...NO_IDENTITY, method })} />
      {person ? (
        <TextLink to="/connect">{t("toConnect")}</TextLink>
      ) : (
        <>
          <Field label={t("form.name")} hint={t("form.nameHint")} required {...nameless} {...refusedAt(add.error)("/name")}>
            <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" />
          </Field>
          {identity.method === "pat" && (
            <Field label={t("form.url")} hint={t("form.urlHint")} {...refusedAt(add.error)("/url")}>
              <Input type="url" value={url} onChange={(_, { value }) => setUrl(value)} autoComplete="off" spellCheck={false} />
            </Field>
          )}
          <IdentityFields alone identity={identity} strict={strict} withUser onChange={(change) => setIdentity({ ...identity, ...change })} />
        </>
      )}
    </FormDialog>
  );
}

/** A person's sign-in is none of these: it is made where something is connected. */
function MethodField({ method, onChange }: { method: string; onChange: (method: string) => void }) {
  const t = useTexts("vault");
  return (
    <Field label={t("form.method")} hint={method === PERSON ? t("form.personHint") : undefined}>
      <Select value={method} onChange={(_, { value }) => onChange(value)}>
        {METHODS.map((one) => (
          <option key={one} value={one}>
            {t(`method.${one}`)}
          </option>
        ))}
        <option value={PERSON}>{t("form.person")}</option>
      </Select>
    </Field>
  );
}
