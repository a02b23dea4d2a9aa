import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { ReachFields } from "./ReachFields";
import { RoleFields } from "./RoleFields";

export function AddPerson({ onClose }: { onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<string[]>(["viewer"]);
  const [connectors, setConnectors] = useState<string[] | null>(null);
  const add = api.useMutation("post", "/people", {
    onSuccess: (person) => {
      tell(t("added", { name: person.name }), t("addedNext"));
      onClose();
    },
  });
  const body = { name: name.trim(), password, roles, ...(connectors && { connectors }) };
  const at = refusedAt(add.error);
  const refused = add.error ? Problem.from(add.error) : undefined;
  return (
    <FormDialog
      title={t("form.addTitle")}
      submit={add.isPending ? t("form.busy") : t("form.add")}
      busy={add.isPending}
      ready={body.name !== "" && password !== "" && roles.length > 0 && connectors?.length !== 0}
      error={add.error}
      fields={["/name", "/password", "/roles", "/connectors"]}
      showAs={
        <ShowAs
          cli={[
            "user",
            "add",
            body.name,
            ...roles.flatMap((role) => ["--role", role]),
            ...(connectors ?? []).flatMap((connector) => ["--connector", connector]),
            "--password-file",
            "FILE",
          ]}
          method="POST"
          path="/people"
          body={{ ...body, password: "PASSWORD" }}
        />
      }
      onSubmit={() => add.mutate({ body })}
      onCancel={onClose}
    >
      <Field label={t("form.name")} hint={t("form.nameHint")} required {...at("/name")}>
        <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" />
      </Field>
      <Field label={t("form.password")} hint={t("form.passwordHint")} required {...at("/password")}>
        <Input type="password" value={password} onChange={(_, { value }) => setPassword(value)} autoComplete="new-password" />
      </Field>
      <RoleFields roles={roles} onChange={setRoles} refused={refused?.field("/roles")} />
      <ReachFields connectors={connectors} onChange={setConnectors} refused={refused?.field("/connectors")} />
    </FormDialog>
  );
}
