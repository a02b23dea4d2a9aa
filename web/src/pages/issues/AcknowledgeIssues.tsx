import { Field, Select, Text, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import type { Row } from "./group";
import "./texts";

const DAYS = [1, 7, 30, 90];

/** As the interface names an issue. */
function seen({ connector, repository, code, kind, scope, item }: Row) {
  return { ...(repository ? { repository } : { connector }), code, kind, scope, item: item ?? "" };
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
  const body = { issues: rows.map(seen), ...(until && { until }), ...(note && { note }) };
  const acknowledge = api.useMutation("post", "/issues/acknowledge-many", {
    onSuccess: () => {
      tell(t("acknowledge.done", { count: rows.length }));
      onClose();
    },
  });
  const at = refusedAt(acknowledge.error);
  // Several at once are of one group, which has one title.
  const [first] = rows;
  return (
    <FormDialog
      title={t("acknowledge.title", { count: rows.length })}
      submit={t("acknowledge.submit")}
      busy={acknowledge.isPending}
      error={acknowledge.error}
      fields={["/until", "/note"]}
      showAs={<ShowAs commands={rows.map((row) => words(row, until, note))} method="POST" path="/issues/acknowledge-many" body={body} />}
      onSubmit={() => acknowledge.mutate({ body })}
      onCancel={onClose}
    >
      {first && <Text weight="semibold">{rows.length === 1 ? first.message : (first.title ?? first.code)}</Text>}
      <Text>{t("acknowledge.body", { count: rows.length })}</Text>
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
