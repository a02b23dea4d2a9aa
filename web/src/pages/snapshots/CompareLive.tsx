import { Body1, Button, Field, Select } from "@fluentui/react-components";
import { CloudRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { useAll } from "../../components/all";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isFor, type Of } from "../browse/source";
import { type Entry, selectOf } from "../restore/basket";
import { cliOf } from "../restore/cli";
import "./texts";

const EVERYTHING: Entry = { type: "everything" };

interface Props {
  snapshot: Of & { id: string };
  /** What of it is compared; everything when absent. */
  entry?: Entry;
}

/** Compares a snapshot, or one thing in it, with what is there now; disabled until there is one, and nothing for who may not restore. */
export function CompareLive({ snapshot, ...props }: Omit<Props, "snapshot"> & { snapshot: Props["snapshot"] | undefined }) {
  const t = useTexts("snapshots");
  const may = useMay("restore");
  const [open, setOpen] = useState(false);
  if (!may) return null;
  return (
    <>
      <Button icon={<CloudRegular />} disabled={!snapshot} title={snapshot ? undefined : t("compareLiveHint")} onClick={() => setOpen(true)}>
        {t("compareLive")}
      </Button>
      {open && snapshot && <Dialog snapshot={snapshot} {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Asks for a plan that would replace, and that nobody has to apply. */
function Dialog({ snapshot, entry = EVERYTHING, onClose }: Props & { onClose: () => void }) {
  const t = useTexts("snapshots");
  const navigate = useNavigate();
  const connectors = useAll("/connectors", {});
  const choices = (connectors.items ?? []).filter(({ service }) => service === snapshot.service);
  const [chosen, choose] = useState<string>();
  const target = chosen ?? (choices.find((one) => isFor(one, snapshot)) ?? choices[0])?.name;
  const select = selectOf([entry]);
  const body = target !== undefined && select !== undefined && select !== "mixed" ? { snapshot: snapshot.id, target: { connector: target }, conflict: "replace" as const, select } : undefined;
  const compare = api.useMutation("post", "/restore-plans", {
    onSuccess: ({ id }) => navigate({ to: "/restore/$id", params: { id }, search: { as: "comparison" } }),
  });
  return (
    <FormDialog
      title={t("live.title")}
      submit={t("live.do")}
      busy={compare.isPending}
      ready={body !== undefined}
      error={compare.error ?? connectors.error}
      showAs={body && <ShowAs cli={cliOf(body.snapshot, body.target.connector, body.conflict, body.select)} method="POST" path="/restore-plans" body={body} />}
      onSubmit={() => body && compare.mutate({ body })}
      onCancel={onClose}
    >
      <Body1>{t("live.text")}</Body1>
      {connectors.isSuccess && choices.length === 0 ? (
        <Body1>{t("live.none")}</Body1>
      ) : (
        <Field label={t("live.connector")}>
          <Select value={target ?? ""} onChange={(_, { value }) => choose(value)}>
            {choices.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
      )}
    </FormDialog>
  );
}
