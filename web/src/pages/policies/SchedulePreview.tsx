import { Body1, makeStyles, tokens } from "@fluentui/react-components";
import { keepPreviousData } from "@tanstack/react-query";
import { api } from "../../api/client";
import { listed } from "../../components/format";
import { useAgo } from "../../components/now";
import { Section } from "../../components/Section";
import { Failed } from "../../components/State";
import { useTexts } from "../../texts";
import type { Draft } from "./draft";
import "./texts";

const useStyles = makeStyles({
  list: { margin: 0, paddingLeft: tokens.spacingHorizontalXL },
  old: { opacity: 0.6 },
});

/** What the server says of the policy as it stands in the editor; its refusals name members. */
export function usePreview(body: Draft) {
  return api.useQuery("post", "/policies/preview", { body }, { placeholderData: keepPreviousData });
}

/** When it would run, and for what. What the server finds wrong is marked at the fields instead. */
export function SchedulePreview({ data, error, isPlaceholderData, refetch }: ReturnType<typeof usePreview>) {
  const styles = useStyles();
  const t = useTexts("policies");
  const ago = useAgo();
  const failed = error && error.status !== 422;
  if (!data && !failed) return null;
  return (
    <Section title={t("schedule.preview")}>
      {failed && <Failed error={error} retry={() => void refetch()} />}
      {data && (
        <div aria-live="polite" className={isPlaceholderData || error ? styles.old : ""}>
          {data.next.length === 0 ? (
            <Body1>{t("schedule.previewNone")}</Body1>
          ) : (
            <ol className={styles.list}>
              {data.next.map((at, number) => (
                <li key={at}>{t("schedule.previewLocal", { local: data.local[number] ?? at, ago: ago(at) })}</li>
              ))}
            </ol>
          )}
          <p>{data.connectors.length === 0 ? t("general.coversNone") : t("general.coversNow", { names: listed(data.connectors) })}</p>
        </div>
      )}
    </Section>
  );
}
