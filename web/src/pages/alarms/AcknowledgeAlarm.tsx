import { Field, Text, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import "./texts";

/** Says that somebody knows of an alarm, and why it may stay. */
export function AcknowledgeAlarm({ alarm, onClose }: { alarm: Schemas["AlarmView"]; onClose: () => void }) {
  const t = useTexts("alarms");
  const tell = useTell();
  const [reason, setReason] = useState("");
  const acknowledge = api.useMutation("post", "/alarms/acknowledge", {
    onSuccess: () => {
      tell(t("acknowledge.done"), t("acknowledge.doneBody"));
      onClose();
    },
  });
  const body = { key: alarm.key, reason: reason.trim() };
  const at = refusedAt(acknowledge.error);
  return (
    <FormDialog
      title={t("acknowledge.title")}
      submit={t("acknowledge.action")}
      busy={acknowledge.isPending}
      ready={body.reason !== ""}
      error={acknowledge.error}
      fields={["/reason"]}
      showAs={
        <ShowAs cli={["alarm", "ack", alarm.key, "--reason", body.reason]} method="POST" path="/alarms/acknowledge" body={body} />
      }
      onSubmit={() => acknowledge.mutate({ body })}
      onCancel={onClose}
    >
      <Text weight="semibold">{alarm.message}</Text>
      <Text>{t("acknowledge.body")}</Text>
      <Field label={t("acknowledge.reason")} hint={t("acknowledge.reasonHint")} required {...at("/reason")}>
        <Textarea value={reason} onChange={(_, { value }) => setReason(value)} />
      </Field>
    </FormDialog>
  );
}
