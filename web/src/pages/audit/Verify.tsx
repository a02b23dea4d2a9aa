import { Field, Input, MessageBar, MessageBarBody, Text } from "@fluentui/react-components";
import { useState } from "react";
import { client } from "../../api/client";
import { useWrite } from "../../api/write";
import { Code } from "../../components/Code";
import { useFormStyles } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";

/** Reads the whole log, and says whether it is as it was written. */
export function Verify({ onClose }: { onClose: () => void }) {
  const t = useTexts("audit");
  const form = useFormStyles();
  const [seq, setSeq] = useState("");
  const [hash, setHash] = useState("");
  const noted = seq !== "" && hash.trim() !== "" ? { seq: Number(seq), hash: hash.trim() } : undefined;
  const verify = useWrite({
    meta: { reads: true },
    mutationFn: async () => {
      const { data } = await client.GET("/audit/verify", { params: { query: noted ?? {} } });
      return data;
    },
  });
  const verdict = verify.data;
  const params = noted ? `?seq=${noted.seq}&hash=${encodeURIComponent(noted.hash)}` : "";
  return (
    <FormDialog
      title={t("verify.title")}
      submit={verify.isPending ? t("verify.busy") : t("verify.submit")}
      busy={verify.isPending}
      ready={(seq === "") === (hash.trim() === "")}
      error={verify.error}
      showAs={
        <ShowAs
          cli={["audit", "verify", ...(noted ? ["--noted", `${noted.seq}:${noted.hash}`] : [])]}
          method="GET"
          path={`/audit/verify${params}`}
        />
      }
      onSubmit={() => verify.mutate()}
      onCancel={onClose}
    >
      <Text>{t("verify.about")}</Text>
      <Text>
        <strong>{t("verify.noted")}.</strong> {t("verify.notedHint")}
      </Text>
      <div className={form.row}>
        <Field label={t("verify.seq")}>
          <Input type="number" min={1} value={seq} onChange={(_, { value }) => setSeq(value)} />
        </Field>
        <Field label={t("verify.hash")}>
          <Input value={hash} onChange={(_, { value }) => setHash(value)} autoComplete="off" />
        </Field>
      </div>
      {verdict && (
        <>
          <MessageBar intent={verdict.whole ? "success" : "error"} layout="multiline" role="status">
            <MessageBarBody>
              {verdict.fault ? t("verify.fault", { ...verdict.fault }) : t("verify.whole", { count: verdict.entries })}
            </MessageBarBody>
          </MessageBar>
          <Text>{t("verify.note")}</Text>
          <Code text={`${verdict.entries}:${verdict.hash}`} />
        </>
      )}
    </FormDialog>
  );
}
