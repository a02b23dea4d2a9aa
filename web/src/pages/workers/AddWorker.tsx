import { Field, Input, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { Code } from "../../components/Code";
import { commandLine } from "../../components/commandLine";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Once } from "../../components/Once";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { command } from "./standing";

export function AddWorker({ onClose }: { onClose: () => void }) {
  const t = useTexts("workers");
  const [name, setName] = useState("");
  const add = api.useMutation("post", "/workers");
  if (add.data) {
    const words = commandLine(command(add.data.name, location.origin));
    return (
      <Once
        title={t("once.title", { name: add.data.name })}
        warning={t("once.warning")}
        secret={add.data.token}
        onClose={onClose}
      >
        <Text>{t("once.save")}</Text>
        <Code text={words} />
        <Text size={200}>{t("once.labels")}</Text>
        {location.protocol !== "https:" && <Text weight="semibold">{t("once.insecure")}</Text>}
      </Once>
    );
  }
  const body = { name: name.trim() };
  const file = `${body.name}.token`;
  return (
    <FormDialog
      title={t("form.title")}
      submit={add.isPending ? t("form.busy") : t("form.submit")}
      busy={add.isPending}
      ready={body.name !== ""}
      error={add.error}
      fields={["/name"]}
      showAs={<ShowAs cli={["worker", "token", body.name, "--to", file]} method="POST" path="/workers" body={body} />}
      onSubmit={() => add.mutate({ body })}
      onCancel={onClose}
    >
      <Text>{t("form.about")}</Text>
      <Field label={t("form.name")} hint={t("form.nameHint")} required {...refusedAt(add.error)("/name")}>
        <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" placeholder="edge" />
      </Field>
    </FormDialog>
  );
}
