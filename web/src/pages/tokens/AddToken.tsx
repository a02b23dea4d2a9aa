import { Field, Input, Select, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { Choices } from "../../components/Choices";
import { Code } from "../../components/Code";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { when } from "../../components/format";
import { Once } from "../../components/Once";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { ReachFields } from "../people/ReachFields";
import { PERMISSIONS } from "../people/roles";

const DAYS = [7, 30, 90, 180, 366];

/** Makes a token of one's own, with no more than one may oneself. Only a person who is signed in can: a token makes no tokens, so no command is shown. */
export function AddToken({ onClose }: { onClose: () => void }) {
  const t = useTexts("tokens");
  const people = useTexts("people");
  const me = useMe();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>(["read-status"]);
  const [connectors, setConnectors] = useState<string[] | null>(null);
  const [days, setDays] = useState(90);
  const add = api.useMutation("post", "/tokens");
  if (add.data) return <Made {...add.data} onClose={onClose} />;
  const own = PERMISSIONS.filter((permission) => me.permissions.includes(permission));
  const permissions = own.filter((permission) => chosen.includes(permission));
  const body = { name: name.trim(), permissions, days, ...(connectors && { connectors }) };
  const at = refusedAt(add.error);
  const refused = add.error ? Problem.from(add.error) : undefined;
  return (
    <FormDialog
      title={t("form.title")}
      submit={add.isPending ? t("form.busy") : t("form.submit")}
      busy={add.isPending}
      ready={body.name !== "" && permissions.length > 0 && connectors?.length !== 0}
      error={add.error}
      fields={["/name", "/permissions", "/connectors", "/days"]}
      onSubmit={() => add.mutate({ body })}
      onCancel={onClose}
    >
      <Field label={t("form.name")} hint={t("form.nameHint")} required {...at("/name")}>
        <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="off" />
      </Field>
      <Choices
        label={t("form.may")}
        wrong={refused?.field("/permissions") ?? (permissions.length === 0 ? t("form.mayNone") : undefined)}
        of={own}
        chosen={permissions}
        onChange={setChosen}
        words={(permission) => people(`permission.${permission}`)}
      />
      <ReachFields
        connectors={connectors}
        onChange={setConnectors}
        among={me.connectors ?? undefined}
        refused={refused?.field("/connectors")}
      />
      <Field label={t("form.days")} {...at("/days")}>
        <Select value={String(days)} onChange={(_, { value }) => setDays(Number(value))}>
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {t("form.daysOf", { count })}
            </option>
          ))}
        </Select>
      </Field>
    </FormDialog>
  );
}

/** The token, for the only time, and what to do with it. */
function Made({ secret, expires, onClose }: { secret: string; expires: string; onClose: () => void }) {
  const t = useTexts("tokens");
  return (
    <Once title={t("once.title")} warning={t("once.warning", { until: when(expires) })} secret={secret} onClose={onClose}>
      <Text>{t("once.use")}</Text>
      <Code text={`keepward run list --server ${location.origin} --token-file FILE`} />
    </Once>
  );
}
