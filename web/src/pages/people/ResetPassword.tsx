import { Checkbox, Field, Input, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";

/** A new password for who has lost theirs. */
export function ResetPassword({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const [password, setPassword] = useState("");
  const [off, setOff] = useState(false);
  const reset = api.useMutation("put", "/people/{name}/password", {
    onSuccess: () => {
      tell(t("reset.done", { name }));
      onClose();
    },
  });
  const body = { password, second_factor_off: off };
  return (
    <FormDialog
      title={t("reset.title", { name })}
      submit={reset.isPending ? t("form.busy") : t("reset.save")}
      busy={reset.isPending}
      ready={password !== ""}
      error={reset.error}
      fields={["/password"]}
      showAs={
        <ShowAs
          ready
          cli={["user", "reset-password", name, "--password-file", "FILE", ...(off ? ["--second-factor-off"] : [])]}
          method="PUT"
          path={`/people/${encodeURIComponent(name)}/password`}
          body={{ ...body, password: "PASSWORD" }}
        />
      }
      onSubmit={() => reset.mutate({ params: { path: { name } }, body })}
      onCancel={onClose}
    >
      <Text>{t("reset.about")}</Text>
      <Field label={t("form.password")} required {...refusedAt(reset.error)("/password")}>
        <Input type="password" value={password} onChange={(_, { value }) => setPassword(value)} autoComplete="new-password" />
      </Field>
      <Checkbox label={t("reset.factor")} checked={off} onChange={(_, { checked }) => setOff(checked === true)} />
    </FormDialog>
  );
}
