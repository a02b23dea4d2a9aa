import { Body1, Caption1, makeStyles, MessageBar, MessageBarBody, Spinner, tokens } from "@fluentui/react-components";
import { keepPreviousData } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client";
import { COUNTED, isCounting } from "../../api/queries";
import { useAll } from "../../components/all";
import { apart } from "../../components/apart";
import { Section } from "../../components/Section";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import type { Draft } from "./draft";
import { dropped } from "./dropped";
import "./texts";

const useStyles = makeStyles({
  part: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXS },
  list: { margin: 0, paddingLeft: tokens.spacingHorizontalXL },
  old: { opacity: 0.6 },
});

const SHOWN = 8;

/** What the rules would forget now. Without snapshots there is nothing to ask the repository. */
export function RetentionPreview({ body }: { body: Draft }) {
  const styles = useStyles();
  const t = useTexts("policies");
  const preview = api.useQuery(
    "post",
    "/policies/preview/retention",
    { body },
    { placeholderData: keepPreviousData, staleTime: 60_000, ...COUNTED },
  );
  // The preview of the schedule marks what is wrong; here it only means that there is no answer.
  const refused = preview.error?.status === 422;
  const counting = isCounting(preview.error);
  return (
    <Section title={t("retention.preview")}>
      {(preview.isPending || counting) && <Spinner size="tiny" label={t("retention.previewBusy")} />}
      {preview.error && !refused && !counting && <Failed error={preview.error} retry={() => void preview.refetch()} />}
      {preview.data && (
        <div aria-live="polite" className={preview.isPlaceholderData || refused ? styles.old : ""}>
          {preview.data.items.every(({ snapshots }) => snapshots.length === 0) && <Body1>{t("retention.previewNone")}</Body1>}
          {preview.data.items.map((one) => (
            <Of key={`${one.connector} ${one.repository}`} one={one} />
          ))}
        </div>
      )}
    </Section>
  );
}

function Of({ one }: { one: Schemas["RetentionView"] }) {
  const styles = useStyles();
  const t = useTexts("policies");
  const known = useAll("/snapshots", { query: { connector: one.connector } });
  const gone = dropped(one, known.items ?? []);
  const told = apart(known.items ?? []);
  const all = one.snapshots.length;
  if (all === 0) return null;
  const words = gone.length === 0 ? t("retention.previewKeeps", { connector: one.connector, count: all }) : undefined;
  return (
    <div className={styles.part}>
      <Body1>{words ?? t("retention.previewDrops", { connector: one.connector, count: gone.length, all })}</Body1>
      {(one.suspicions ?? []).map((why) => (
        <MessageBar key={why} intent="warning" layout="multiline">
          <MessageBarBody>{t("retention.suspended", { why })}</MessageBarBody>
        </MessageBar>
      ))}
      {gone.length > 0 && (
        <ul className={styles.list} aria-label={t("retention.dropped")}>
          {gone.slice(0, SHOWN).map(({ id, time }) => (
            <li key={id}>
              <TextLink to="/snapshots/$id" params={{ id }}>
                {time === null ? id.slice(0, 8) : told({ id, time })}
              </TextLink>
            </li>
          ))}
          {gone.length > SHOWN && <Caption1>{t("retention.andMore", { count: gone.length - SHOWN })}</Caption1>}
        </ul>
      )}
    </div>
  );
}
