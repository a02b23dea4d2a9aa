import { Body1, Field, Select } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import type { Snapshot } from "./change";

/** Compares a snapshot with what is there now: a plan that would replace, and that nobody has to apply. */
export function CompareLive({ snapshot, connector, onClose }: { snapshot: Snapshot; connector: string | undefined; onClose: () => void }) {
  const t = useTexts("snapshots");
  const navigate = useNavigate();
  const connectors = api.useQuery("get", "/connectors", { params: { query: { limit: 200 } } }).data?.items ?? [];
  const choices = connectors.filter(({ service }) => service === snapshot.service);
  const [chosen, choose] = useState(connector);
  const target = chosen ?? choices[0]?.name;
  const body = { snapshot: snapshot.id, target: { connector: target ?? "" }, conflict: "replace" as const, select: { everything: true } };
  const compare = api.useMutation("post", "/restore-plans", {
    onSuccess: ({ id }) => navigate({ to: "/restore/$id", params: { id }, search: { as: "comparison" } }),
  });
  return (
    <FormDialog
      title={t("live.title")}
      submit={t("live.do")}
      busy={compare.isPending}
      ready={target !== undefined}
      error={compare.error}
      showAs={<ShowAs cli={["restore", "plan", snapshot.id.slice(0, 8), "--everything", "--conflict", "replace", ...(target ? ["--into", target] : [])]} method="POST" path="/restore-plans" body={body} />}
      onSubmit={() => compare.mutate({ body })}
      onCancel={onClose}
    >
      <Body1>{t("live.text")}</Body1>
      {choices.length === 0 ? (
        <Body1>{t("live.none")}</Body1>
      ) : (
        <Field label={t("live.connector")}>
          <Select value={target ?? ""} onChange={(_, { value }) => choose(value)}>
            {choices.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
      )}
    </FormDialog>
  );
}
