import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Body1,
  Caption1,
  makeStyles,
  MessageBar,
  MessageBarBody,
  tokens,
} from "@fluentui/react-components";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { bodyOf, EMPTY_KEEP, type Keep, lines, parts, whole, type Within, ZERO } from "./draft";
import type { Editing } from "./editing";
import { Typed } from "./Typed";
import { PERIODS, retentionWords } from "./words";
import "./texts";

const useStyles = makeStyles({
  counts: { display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(120px, 1fr))", gap: tokens.spacingHorizontalM },
  group: { border: "none", margin: 0, padding: 0, minWidth: 0 },
  legend: { padding: 0, marginBottom: tokens.spacingVerticalXS },
  quiet: { color: tokens.colorNeutralForeground3 },
});

/** How long snapshots stay. */
export function RetentionPart({ draft, change, at }: Editing) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("policies");
  const { retention } = draft;
  const set = (part: Partial<Keep>) => change({ retention: { ...retention, ...part } });
  const words = retentionWords(t, bodyOf(draft).retention);
  const everything = words === retentionWords(t, EMPTY_KEEP);
  return (
    <Section title={t("retention.title")}>
      <Caption1 className={styles.quiet}>{t("retention.about")}</Caption1>
      <div className={styles.counts}>
        {(["last", ...PERIODS] as const).map((rule) => (
          <Typed
            key={rule}
            label={t(`retention.${rule}`)}
            numbers="whole"
            initial={String(retention[rule])}
            onText={(text) => set({ [rule]: whole(text, 0) })}
            wrong={at(`/retention/${rule}`)}
          />
        ))}
      </div>
      <Length label={t("retention.within")} within={retention.within} onChange={(within) => set({ within })} />
      <div aria-live="polite">
        {everything ? (
          <MessageBar intent="info" layout="multiline">
            <MessageBarBody>{t("retention.everything")}</MessageBarBody>
          </MessageBar>
        ) : (
          <Body1>{`${t("column.retention")}: ${words}.`}</Body1>
        )}
      </div>
      <Accordion collapsible>
        <AccordionItem value="more">
          <AccordionHeader as="h3">{t("retention.more")}</AccordionHeader>
          <AccordionPanel className={form.form}>
            {PERIODS.map((period) => (
              <Length
                key={period}
                label={t(`retention.withinOf.${period}`)}
                within={retention[`within_${period}`]}
                onChange={(within) => set({ [`within_${period}`]: within })}
              />
            ))}
            <Typed
              label={t("retention.tags")}
              hint={t("retention.tagsHint")}
              rows={2}
              initial={retention.tags.map((tags) => tags.join(", ")).join("\n")}
              onText={(text) => set({ tags: lines(text).map(parts) })}
              wrong={at("/retention/tags")}
            />
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
    </Section>
  );
}

function Length({ label, within, onChange }: { label: string; within: Within | null; onChange: (to: Within) => void }) {
  const styles = useStyles();
  const t = useTexts("policies");
  const length = within ?? ZERO;
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{label}</legend>
      <div className={styles.counts}>
        {(["years", "months", "days", "hours"] as const).map((unit) => (
          <Typed
            key={unit}
            label={t(`retention.${unit}`)}
            numbers="whole"
            initial={String(length[unit])}
            onText={(text) => onChange({ ...length, [unit]: whole(text, 0) })}
          />
        ))}
      </div>
    </fieldset>
  );
}
