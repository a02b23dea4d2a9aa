import { Field, Input, Select, Text, Textarea } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { client, type Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { refusedAt, useFormStyles } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { list, read, write } from "./groups";
import { ROLES } from "./roles";

type Provider = Schemas["Named"];

const TEXTS = ["title", "issuer", "client_id", "groups_claim"] as const;
const SHOWN = [...TEXTS.map((member) => `/${member}`), "/name", "/roles", "/scopes", "/tenants", "/domains", "/client_secret"];

/** Adds an identity provider or changes one; its client secret goes in on its own and never comes out. */
export function EditProvider({ provider, onClose }: { provider?: Provider; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const form = useFormStyles();
  const [name, setName] = useState(provider?.name ?? "");
  const [texts, setTexts] = useState({
    title: provider?.title ?? "",
    issuer: provider?.issuer ?? "",
    client_id: provider?.client_id ?? "",
    groups_claim: provider?.groups_claim ?? "groups",
  });
  const [secret, setSecret] = useState("");
  const [groups, setGroups] = useState(() => write(provider?.roles ?? {}));
  const [usual, setUsual] = useState(provider?.default_roles?.[0] ?? "");
  const [lists, setLists] = useState({
    scopes: (provider?.scopes ?? ["profile", "email"]).join(" "),
    tenants: (provider?.tenants ?? []).join(" "),
    domains: (provider?.domains ?? []).join(" "),
  });
  const parsed = read(groups);
  const kept = provider?.default_roles ?? [];
  const body: Schemas["Provider"] = {
    ...texts,
    roles: "roles" in parsed ? parsed.roles : {},
    // The form shows one; several that were set elsewhere stay as long as it is not touched.
    default_roles: usual === (kept[0] ?? "") ? kept : usual === "" ? [] : [usual],
    scopes: list(lists.scopes),
    tenants: list(lists.tenants),
    domains: list(lists.domains),
  };
  const save = useMutation({
    mutationFn: async () => {
      const params = { path: { name: name.trim() } };
      const { data } = await client.PUT("/identity-providers/{name}", { params, body });
      if (secret !== "") {
        await client.PUT("/identity-providers/{name}/client-secret", { params, body: { client_secret: secret } });
      }
      return data;
    },
    onSuccess: () => {
      tell(t("providers.saved", { title: texts.title }), secret === "" ? undefined : t("providers.secretSaved"));
      onClose();
    },
  });
  const at = refusedAt(save.error);
  const text = (member: (typeof TEXTS)[number]) => ({
    value: texts[member],
    onChange: (_: unknown, { value }: { value: string }) => setTexts({ ...texts, [member]: value }),
    autoComplete: "off",
  });
  const words = (member: keyof typeof lists, label: string, hint: string) => (
    <Field label={label} hint={hint} {...at(`/${member}`)}>
      <Input value={lists[member]} onChange={(_, { value }) => setLists({ ...lists, [member]: value })} autoComplete="off" />
    </Field>
  );
  const wrongLine = "line" in parsed ? t("providers.groupsWrong", { line: parsed.line, roles: ROLES.join(", ") }) : undefined;
  return (
    <FormDialog
      title={provider ? t("providers.formEdit", { name }) : t("providers.formAdd")}
      submit={save.isPending ? t("form.busy") : t("providers.save")}
      busy={save.isPending}
      ready={name.trim() !== "" && texts.title !== "" && texts.issuer !== "" && texts.client_id !== "" && "roles" in parsed}
      error={save.error}
      fields={SHOWN}
      showAs={<ShowAs method="PUT" path={`/identity-providers/${encodeURIComponent(name.trim() || "NAME")}`} body={body} />}
      onSubmit={() => save.mutate()}
      onCancel={onClose}
    >
      {!provider && (
        <Field label={t("providers.name")} hint={t("providers.nameHint")} required {...at("/name")}>
          <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" placeholder="entra" />
        </Field>
      )}
      <Redirect provider={provider} name={name.trim()} />
      <Field label={t("providers.buttonTitle")} hint={t("providers.buttonTitleHint")} required {...at("/title")}>
        <Input {...text("title")} placeholder="Contoso" />
      </Field>
      <Field label={t("providers.issuer")} hint={t("providers.issuerHint")} required {...at("/issuer")}>
        <Input {...text("issuer")} type="url" />
      </Field>
      <div className={form.row}>
        <Field label={t("providers.clientId")} required {...at("/client_id")}>
          <Input {...text("client_id")} />
        </Field>
        <Field
          label={t("providers.secret")}
          hint={`${t("providers.secretHint")}${provider ? ` ${t("providers.secretKeep")}` : ""}`}
          {...at("/client_secret")}
        >
          <Input type="password" value={secret} onChange={(_, { value }) => setSecret(value)} autoComplete="off" />
        </Field>
      </div>
      <Field
        label={t("providers.groups")}
        hint={t("providers.groupsHint")}
        {...at("/roles")}
        {...(wrongLine !== undefined && { validationState: "error" as const, validationMessage: wrongLine })}
      >
        <Textarea rows={4} resize="vertical" value={groups} onChange={(_, { value }) => setGroups(value)} />
      </Field>
      <div className={form.row}>
        <Field label={t("providers.others")} {...at("/default_roles")}>
          <Select value={usual} onChange={(_, { value }) => setUsual(value)}>
            <option value="">{t("providers.othersOut")}</option>
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {t(`role.${role}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("providers.claim")} {...at("/groups_claim")}>
          <Input {...text("groups_claim")} />
        </Field>
      </div>
      {words("tenants", t("providers.tenants"), t("providers.tenantsHint"))}
      {words("domains", t("providers.domains"), t("providers.domainsHint"))}
      {words("scopes", t("providers.scopes"), t("providers.scopesHint"))}
    </FormDialog>
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
