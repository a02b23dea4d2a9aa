import { Field, Input, Text, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { Checks } from "../connect/Checks";
import { PemFiles } from "../connect/PemFiles";
import { words } from "./command";
import type { Credential } from "./Words";

/** A new secret in the place of the old one, which stays until the new one has passed. */
export function Rotate({ credential, onClose }: { credential: Credential; onClose: () => void }) {
  const t = useTexts("vault");
  const tell = useTell();
  const { name, method } = credential;
  const [secret, setSecret] = useState("");
  const [expires, setExpires] = useState("");
  const rotate = api.useMutation("post", "/credentials/{name}/rotate", {
    onSuccess: ({ connectors }) => {
      const at = connectors.length > 0 ? t("rotate.doneAt", { connectors: connectors.join(", ") }) : undefined;
      tell(t("rotate.done", { name }), at);
      onClose();
    },
  });
  const end = expires === "" ? {} : { expires: `${expires}T00:00:00Z` };
  const at = refusedAt(rotate.error);
  const checks = rotate.error ? Problem.from(rotate.error).body.checks : undefined;
  const Secret = method === "certificate" ? Textarea : Input;
  return (
    <FormDialog
      title={t("rotate.title", { name })}
      submit={rotate.isPending ? t("rotate.busy") : t("rotate.submit")}
      busy={rotate.isPending}
      ready={secret.trim() !== ""}
      error={rotate.error}
      fields={["/secret", "/expires"]}
      showAs={
        <ShowAs
          ready
          cli={["credential", "rotate", name, ...words({ method, ...end })]}
          method="POST"
          path={`/credentials/${encodeURIComponent(name)}/rotate`}
          body={{ secret: "SECRET", ...end }}
        />
      }
      onSubmit={() => rotate.mutate({ params: { path: { name } }, body: { secret: secret.trim(), ...end } })}
      onCancel={onClose}
    >
      <Text>{t("rotate.about")}</Text>
      <Field label={t("rotate.secret")} required {...at("/secret")}>
        <Secret
          {...(method !== "certificate" && { type: "password" as const })}
          value={secret}
          onChange={(_, { value }) => setSecret(value)}
          autoComplete="off"
        />
      </Field>
      {method === "certificate" && <PemFiles onText={setSecret} />}
      <Field label={t("rotate.expires")} hint={t("rotate.expiresHint")} {...at("/expires")}>
        <Input type="date" value={expires} onChange={(_, { value }) => setExpires(value)} />
      </Field>
      {checks && checks.length > 0 && <Checks checks={checks} />}
      {rotate.error && <Text>{t("rotate.refused")}</Text>}
    </FormDialog>
  );
}
