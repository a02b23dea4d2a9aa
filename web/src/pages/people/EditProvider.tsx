import { Field, Input, Select, Text, Textarea } from "@fluentui/react-components";
import { useRef, useState } from "react";
import { api, client } from "../../api/client";
import { useWrite } from "../../api/write";
import { Code } from "../../components/Code";
import { refusedAt, useFormStyles, wrong } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { asReach, asRole, read } from "./groups";
import { bodyOf, cliOf, complete, type Draft, draftOf, type Provider, taken } from "./provider";
import { ROLES } from "./roles";

const SHOWN = ["title", "issuer", "client_id", "groups_claim", "name", "roles", "connectors", "scopes", "tenants", "domains", "client_secret"].map((member) => `/${member}`);

interface Props {
  /** Absent where one is added. */
  provider?: Provider;
  onClose: () => void;
}

/** Adds an identity provider or changes one; its client secret goes in on its own and never comes out. */
export function EditProvider({ provider, onClose }: Props) {
  const t = useTexts("people");
  const tell = useTell();
  const [draft, setDraft] = useState(() => draftOf(provider));
  const version = useRef(provider?.version ?? null);
  const known = api.useQuery("get", "/identity-providers").data?.items ?? [];
  const { secret } = draft;
  const name = draft.name.trim();
  const body = bodyOf(draft, provider);
  const save = useWrite({
    mutationFn: async (saved: string) => {
      const params = { path: { name: saved } };
      const put = await client.PUT("/identity-providers/{name}", { params, body: { ...body, version: version.current } });
      // A secret that is refused is sent again after this.
      version.current = put.data?.version ?? null;
      if (secret !== "") await client.PUT("/identity-providers/{name}/client-secret", { params, body: { client_secret: secret } });
    },
    onSuccess: () => {
      tell(t("providers.saved", { title: draft.title }), secret === "" ? undefined : t("providers.secretSaved"));
      onClose();
    },
  });
  // Whose secret alone was refused is there already.
  const others = known.map((one) => one.name).filter((one) => one !== save.variables);
  return (
    <FormDialog
      title={provider ? t("providers.formEdit", { name }) : t("providers.formAdd")}
      submit={save.isPending ? t("form.busy") : t("providers.save")}
      busy={save.isPending}
      ready={complete(draft, provider, others)}
      error={save.error}
      fields={SHOWN}
      showAs={<ShowAs cli={cliOf(name, body, secret !== "")} method="PUT" path={`/identity-providers/${encodeURIComponent(name || "NAME")}`} body={body} />}
      onSubmit={() => save.mutate(name)}
      onCancel={onClose}
    >
      <Fields
        provider={provider}
        draft={draft}
        nameWrong={taken(draft, provider, others) ? t("providers.nameTaken") : undefined}
        onChange={(part) => setDraft((before) => ({ ...before, ...part }))}
        at={refusedAt(save.error)}
      />
    </FormDialog>
  );
}

interface FieldsProps {
  provider: Provider | undefined;
  draft: Draft;
  nameWrong: string | undefined;
  onChange: (part: Partial<Draft>) => void;
  at: ReturnType<typeof refusedAt>;
}

function Fields({ provider, draft, nameWrong, onChange, at }: FieldsProps) {
  const t = useTexts("people");
  const form = useFormStyles();
  const typed = (member: keyof Draft) => ({
    value: draft[member],
    onChange: (_: unknown, { value }: { value: string }) => onChange({ [member]: value }),
    autoComplete: "off",
  });
  return (
    <>
      {!provider && (
        <Field label={t("providers.name")} hint={t("providers.nameHint")} required {...at("/name")} {...wrong(nameWrong)}>
          <Input {...typed("name")} placeholder="entra" />
        </Field>
      )}
      <Redirect provider={provider} name={draft.name.trim()} />
      <Field label={t("providers.buttonTitle")} hint={t("providers.buttonTitleHint")} required {...at("/title")}>
        <Input {...typed("title")} placeholder="Contoso" />
      </Field>
      <Field label={t("providers.issuer")} hint={t("providers.issuerHint")} required {...at("/issuer")}>
        <Input {...typed("issuer")} type="url" />
      </Field>
      <div className={form.row}>
        <Field label={t("providers.clientId")} required {...at("/client_id")}>
          <Input {...typed("client_id")} />
        </Field>
        <Field label={t("providers.secret")} hint={`${t("providers.secretHint")}${provider ? ` ${t("providers.secretKeep")}` : ""}`} {...at("/client_secret")}>
          <Input type="password" {...typed("secret")} />
        </Field>
      </div>
      <GroupFields draft={draft} onChange={onChange} at={at} />
      <div className={form.row}>
        <Field label={t("providers.others")} {...at("/default_roles")}>
          <Select {...typed("usual")}>
            <option value="">{t("providers.othersOut")}</option>
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {t(`role.${role}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("providers.claim")} {...at("/groups_claim")}>
          <Input {...typed("groups_claim")} />
        </Field>
      </div>
      {(["tenants", "domains", "scopes"] as const).map((member) => (
        <Field key={member} label={t(`providers.${member}`)} hint={t(`providers.${member}Hint`)} {...at(`/${member}`)}>
          <Input {...typed(member)} />
        </Field>
      ))}
    </>
  );
}

/** What groups may, and what they reach. */
function GroupFields({ draft, onChange, at }: Pick<FieldsProps, "draft" | "onChange" | "at">) {
  const t = useTexts("people");
  const [roles, reach] = [read(draft.groups, asRole), read(draft.reach, asReach)];
  const wrongRoles = "line" in roles ? t("providers.groupsWrong", { line: roles.line, roles: ROLES.join(", ") }) : undefined;
  const wrongReach = "line" in reach ? t("providers.reachWrong", { line: reach.line }) : undefined;
  return (
    <>
      <Field label={t("providers.groups")} hint={t("providers.groupsHint")} {...at("/roles")} {...wrong(wrongRoles)}>
        <Textarea rows={4} resize="vertical" value={draft.groups} onChange={(_, { value }) => onChange({ groups: value })} />
      </Field>
      <Field label={t("providers.reach")} hint={t("providers.reachHint")} {...at("/connectors")} {...wrong(wrongReach)}>
        <Textarea rows={2} resize="vertical" value={draft.reach} onChange={(_, { value }) => onChange({ reach: value })} />
      </Field>
    </>
  );
}

/** What has to be entered at the provider. The server alone knows its address; before the first save it is the one of this page. */
function Redirect({ provider, name }: { provider: Provider | undefined; name: string }) {
  const t = useTexts("people");
  if (provider && !provider.redirect_uri) return <Text>{t("providers.redirectMissing")}</Text>;
  const address = provider?.redirect_uri ?? `${location.origin}/api/v1/sign-in/${encodeURIComponent(name || "NAME")}/callback`;
  return (
    <div>
      <Text block>{t("providers.redirect")}</Text>
      <Code text={address} />
      <Text size={200}>{t("providers.redirectHint")}</Text>
    </div>
  );
}
