import { Field, Select, Text, Textarea } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "../../api/client";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import type { Row } from "./group";
import "./texts";

const DAYS = [1, 7, 30, 90];

function body(row: Row, until: string | null, note: string) {
  const { connector, repository, code, kind, scope, item } = row;
  return { ...(repository ? { repository } : { connector }), code, kind, scope, item: item ?? "", ...(until && { until }), ...(note && { note }) };
}

function words({ connector, repository, code, kind, scope, item }: Row, until: string | null, note: string): string[] {
  const options = Object.entries({ kind, scope, item, until, note }).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  return ["run", "acknowledge", repository || connector, code, ...(repository ? ["--repository"] : []), ...options];
}

/** Says that a person has seen issues, so that nobody is told of them again. */
export function AcknowledgeIssues({ rows, onClose }: { rows: Row[]; onClose: () => void }) {
  const t = useTexts("issues");
  const tell = useTell();
  const [days, setDays] = useState("");
  const [note, setNote] = useState("");
  // Fixed when it is chosen: rendering again must not move it.
  const [until, setUntil] = useState<string | null>(null);
  const acknowledge = useMutation({
    mutationFn: async () => {
      for (const row of rows) await client.POST("/issues/acknowledge", { body: body(row, until, note) });
    },
    onSuccess: () => {
      tell(t("acknowledge.done", { count: rows.length }));
      onClose();
    },
  });
  const at = refusedAt(acknowledge.error);
  const first = rows[0];
  return (
    <FormDialog
      title={t("acknowledge.title", { count: rows.length })}
      submit={t("acknowledge.submit")}
      busy={acknowledge.isPending}
      error={acknowledge.error}
      fields={["/until", "/note"]}
      showAs={first && <ShowAs cli={words(first, until, note)} method="POST" path="/issues/acknowledge" body={body(first, until, note)} />}
      onSubmit={() => acknowledge.mutate()}
      onCancel={onClose}
    >
      <Text>{t("acknowledge.body")}</Text>
      <Field label={t("acknowledge.until")} hint={t("acknowledge.untilHint")} {...at("/until")}>
        <Select
          value={days}
          onChange={(_, { value }) => {
            setDays(value);
            setUntil(value === "" ? null : new Date(Date.now() + Number(value) * 86_400_000).toISOString());
          }}
        >
          <option value="">{t("acknowledge.forGood")}</option>
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {t("acknowledge.days", { count })}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t("acknowledge.note")} hint={t("acknowledge.noteHint")} {...at("/note")}>
        <Textarea value={note} maxLength={1000} onChange={(_, { value }) => setNote(value)} />
      </Field>
    </FormDialog>
  );
}
