import { Field, Input, Select, Switch } from "@fluentui/react-components";
import { useState } from "react";
import { client } from "../../api/client";
import { useWrite } from "../../api/write";
import { Choices } from "../../components/Choices";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { type Channel, complete, type Draft, draftOf, KINDS, type Kind, OCCASIONS, options, toOf, usual, words } from "./channel";
import { MailFields } from "./MailFields";

const SHOWN = ["/name", "/to/host", "/to/port", "/to/user", "/to/from", "/to/to", "/to/url", "/secret", "/connectors"];

interface Form {
  name: string;
  draft: Draft;
  secret: string;
  on: Channel["on"];
  connectors: string;
  enabled: boolean;
}

function formOf(channel: Channel | undefined): Form {
  return {
    name: channel?.name ?? "",
    draft: draftOf(channel?.to),
    secret: "",
    on: channel?.on ?? usual("email"),
    connectors: (channel?.connectors ?? []).join(" "),
    enabled: channel?.enabled ?? true,
  };
}

/** Adds a channel, or changes one. Its secret goes in and is not shown again. */
export function EditChannel({ channel, onClose }: { channel?: Channel; onClose: () => void }) {
  const t = useTexts("notifications");
  const tell = useTell();
  const [form, setForm] = useState(() => formOf(channel));
  // What the form began with: the list goes on following what others change.
  const [version] = useState(channel?.version);
  const { draft, secret, on, enabled } = form;
  const name = form.name.trim();
  const stored = channel !== undefined && channel.to.kind === draft.kind;
  const body = { enabled, to: toOf(draft), on, connectors: words(form.connectors), ...(secret !== "" && { secret }) };
  const save = useWrite({
    mutationFn: () =>
      channel
        ? client.PUT("/notifications/{name}", { params: { path: { name: channel.name } }, body: { ...body, version: version ?? null } })
        : client.POST("/notifications", { body: { name, ...body } }),
    onSuccess: () => {
      tell(t("saved", { name }), t("savedNext"));
      onClose();
    },
  });
  const cli = ["notification", channel ? "edit" : "add", name, ...options(body.to, on, body.connectors, { secret: secret !== "", enabled })];
  return (
    <FormDialog
      title={channel ? t("form.editTitle", { name }) : t("form.addTitle")}
      submit={save.isPending ? t("form.busy") : t("form.save")}
      busy={save.isPending}
      ready={name !== "" && on.length > 0 && complete(draft, secret, stored)}
      error={save.error}
      fields={SHOWN}
      showAs={
        <ShowAs
          cli={cli}
          method={channel ? "PUT" : "POST"}
          path={channel ? `/notifications/${encodeURIComponent(channel.name)}` : "/notifications"}
          body={{ ...(!channel && { name }), ...body, ...(secret !== "" && { secret: "SECRET" }) }}
        />
      }
      onSubmit={() => save.mutate()}
      onCancel={onClose}
    >
      <Fields form={form} onChange={(change) => setForm((before) => ({ ...before, ...change }))} named={channel !== undefined} stored={stored} error={save.error} />
    </FormDialog>
  );
}

interface FieldsProps {
  form: Form;
  onChange: (change: Partial<Form>) => void;
  /** It has its name for good. */
  named: boolean;
  /** The server has a secret for it. */
  stored: boolean;
  error: unknown;
}

function Fields({ form: { name, draft, secret, on, connectors, enabled }, onChange, named, stored, error }: FieldsProps) {
  const t = useTexts("notifications");
  const at = refusedAt(error);
  const choose = (kind: Kind) => onChange({ draft: { ...draft, kind }, on: usual(kind), secret: "" });
  return (
    <>
      {!named && (
        <Field label={t("form.name")} required {...at("/name")}>
          <Input value={name} onChange={(_, { value }) => onChange({ name: value })} autoComplete="off" />
        </Field>
      )}
      <Field label={t("form.kind")} hint={t(`form.kindAbout.${draft.kind}`)}>
        <Select value={draft.kind} onChange={(_, { value }) => choose(value as Kind)}>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(`kind.${kind}`)}
            </option>
          ))}
        </Select>
      </Field>
      <WhereFields draft={draft} onChange={(to) => onChange({ draft: to })} stored={stored} secret={secret} onSecret={(value) => onChange({ secret: value })} at={at} />
      <Choices
        label={t("form.on")}
        wrong={on.length === 0 ? t("form.onNone") : undefined}
        of={OCCASIONS}
        chosen={on}
        onChange={(value) => onChange({ on: value })}
        words={(one) => t(`onAbout.${one}`)}
      />
      <Field label={t("form.connectors")} hint={t("form.connectorsHint")} {...at("/connectors")}>
        <Input value={connectors} onChange={(_, { value }) => onChange({ connectors: value })} autoComplete="off" />
      </Field>
      <Switch label={t("form.enabled")} checked={enabled} onChange={(_, { checked }) => onChange({ enabled: checked })} />
    </>
  );
}

interface WhereProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
  /** The server has a secret for it. */
  stored: boolean;
  secret: string;
  onSecret: (secret: string) => void;
  at: ReturnType<typeof refusedAt>;
}

function WhereFields({ draft, onChange, stored, secret, onSecret, at }: WhereProps) {
  const t = useTexts("notifications");
  return (
    <>
      {draft.kind === "email" && <MailFields draft={draft} onChange={onChange} at={at} />}
      {draft.kind === "webhook" && (
        <Field label={t("form.url")} required {...at("/to/url")}>
          <Input type="url" value={draft.url} onChange={(_, { value }) => onChange({ ...draft, url: value })} autoComplete="off" />
        </Field>
      )}
      <Field
        label={t(`form.secret.${draft.kind}`)}
        hint={`${t(`form.secretHint.${draft.kind}`)}${stored ? ` ${t("form.secretKept")}` : ""}`}
        required={!stored && draft.kind !== "email"}
        {...at("/secret")}
      >
        <Input type="password" value={secret} onChange={(_, { value }) => onSecret(value)} autoComplete="off" />
      </Field>
    </>
  );
}
