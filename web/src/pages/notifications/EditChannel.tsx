import { Field, Input, Select, Switch } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api/client";
import { Choices } from "../../components/Choices";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { type Channel, complete, type Draft, draftOf, KINDS, type Kind, OCCASIONS, options, toOf, usual, words } from "./channel";
import { MailFields } from "./MailFields";

const SHOWN = ["/name", "/to/host", "/to/port", "/to/user", "/to/from", "/to/to", "/to/url", "/secret", "/connectors"];

/** Adds a channel, or changes one. Its secret goes in and is not shown again. */
export function EditChannel({ channel, onClose }: { channel?: Channel; onClose: () => void }) {
  const t = useTexts("notifications");
  const tell = useTell();
  const [name, setName] = useState(channel?.name ?? "");
  const [draft, setDraft] = useState(() => draftOf(channel?.to));
  const [secret, setSecret] = useState("");
  const [on, setOn] = useState(channel?.on ?? usual("email"));
  const [connectors, setConnectors] = useState((channel?.connectors ?? []).join(" "));
  const [enabled, setEnabled] = useState(channel?.enabled ?? true);
  const stored = channel !== undefined && channel.to.kind === draft.kind;
  const body = { enabled, to: toOf(draft), on, connectors: words(connectors), ...(secret !== "" && { secret }) };
  const save = useMutation({
    mutationFn: () =>
      channel
        ? client.PUT("/notifications/{name}", { params: { path: { name } }, body })
        : client.POST("/notifications", { body: { name: name.trim(), ...body } }),
    onSuccess: () => {
      tell(t("saved", { name }), t("savedNext"));
      onClose();
    },
  });
  const at = refusedAt(save.error);
  const shown = { ...(!channel && { name: name.trim() }), ...body, ...(secret !== "" && { secret: "SECRET" }) };
  const choose = (kind: Kind) => {
    setDraft({ ...draft, kind });
    setOn(usual(kind));
    setSecret("");
  };
  return (
    <FormDialog
      title={channel ? t("form.editTitle", { name }) : t("form.addTitle")}
      submit={save.isPending ? t("form.busy") : t("form.save")}
      busy={save.isPending}
      ready={name.trim() !== "" && on.length > 0 && complete(draft, secret, stored)}
      error={save.error}
      fields={SHOWN}
      showAs={
        <ShowAs
          cli={[
            "notification",
            channel ? "edit" : "add",
            name.trim() || "NAME",
            ...options(body.to, on, body.connectors, { secret: secret !== "", enabled }),
          ]}
          method={channel ? "PUT" : "POST"}
          path={channel ? `/notifications/${encodeURIComponent(name)}` : "/notifications"}
          body={shown}
        />
      }
      onSubmit={() => save.mutate()}
      onCancel={onClose}
    >
      {!channel && (
        <Field label={t("form.name")} required {...at("/name")}>
          <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" />
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
      <WhereFields draft={draft} onChange={setDraft} stored={stored} secret={secret} onSecret={setSecret} at={at} />
      <Choices label={t("form.on")} wrong={on.length === 0 ? t("form.onNone") : undefined} of={OCCASIONS} chosen={on} onChange={setOn} words={(one) => t(`onAbout.${one}`)} />
      <Field label={t("form.connectors")} hint={t("form.connectorsHint")} {...at("/connectors")}>
        <Input value={connectors} onChange={(_, { value }) => setConnectors(value)} autoComplete="off" />
      </Field>
      <Switch label={t("form.enabled")} checked={enabled} onChange={(_, { checked }) => setEnabled(checked)} />
    </FormDialog>
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
