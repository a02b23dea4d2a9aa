import { Body1, makeStyles, tokens } from "@fluentui/react-components";
import { keepPreviousData } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client";
import { ago } from "../../components/format";
import { Section } from "../../components/Section";
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

interface Props {
  preview: Schemas["PolicyPreview"] | undefined;
  /** It is of what was typed before. */
  old: boolean;
}

/** When it would run, and for what. */
export function SchedulePreview({ preview, old }: Props) {
  const styles = useStyles();
  const t = useTexts("policies");
  if (!preview) return null;
  const { next, local, connectors } = preview;
  return (
    <Section title={t("schedule.preview")}>
      <div aria-live="polite" className={old ? styles.old : ""}>
        {next.length === 0 ? (
          <Body1>{t("schedule.previewNone")}</Body1>
        ) : (
          <ol className={styles.list}>
            {next.map((at, number) => (
              <li key={at}>{t("schedule.previewLocal", { local: local[number] ?? at, ago: ago(at) })}</li>
            ))}
          </ol>
        )}
        <p>
          {connectors.length === 0 ? t("general.coversNone") : t("general.coversNow", { names: connectors.join(", ") })}
        </p>
      </div>
    </Section>
  );
}
