import { Body1, Button, Caption1, Card, makeStyles, Subtitle2, tokens } from "@fluentui/react-components";
import { CheckmarkCircleRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { useAgo } from "../../components/now";
import { Page } from "../../components/Page";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Words } from "../../components/Words";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AcknowledgeAlarm } from "./AcknowledgeAlarm";
import { placeOf, sorted, TONE } from "./alarm";
import { AlarmSettings } from "./AlarmSettings";
import "./texts";

type Alarm = Schemas["AlarmView"];

const AGAIN = 60_000;

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  card: { gap: tokens.spacingVerticalS },
  head: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, alignItems: "center" },
  message: { margin: 0, flex: "1 1 260px", overflowWrap: "anywhere", "::first-letter": { textTransform: "uppercase" } },
  hint: { display: "block", "::first-letter": { textTransform: "uppercase" } },
  quiet: { color: tokens.colorNeutralForeground3 },
  foot: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalL, alignItems: "center" },
});

/** What is wrong, and what counts as wrong. */
export function Alarms() {
  const t = useTexts("alarms");
  // An alarm is raised without an event.
  const query = api.useQuery("get", "/alarms", {}, { refetchInterval: AGAIN });
  const [asked, setAsked] = useState<Alarm>();
  return (
    <Page title={t("title")} about={t("about")}>
      <Loaded query={query}>
        {({ items }) => <Lists alarms={sorted(items)} onAcknowledge={setAsked} />}
      </Loaded>
      <AlarmSettings />
      {asked && <AcknowledgeAlarm alarm={asked} onClose={() => setAsked(undefined)} />}
    </Page>
  );
}

function Lists({ alarms, onAcknowledge }: { alarms: Alarm[]; onAcknowledge: (alarm: Alarm) => void }) {
  const t = useTexts("alarms");
  const open = alarms.filter(({ acknowledged }) => !acknowledged);
  const known = alarms.filter(({ acknowledged }) => acknowledged);
  if (alarms.length === 0) {
    return (
      <Empty icon={<CheckmarkCircleRegular />} title={t("none")}>
        {t("noneHint")}
      </Empty>
    );
  }
  return (
    <>
      <Section title={t("open")}>
        {open.length === 0 ? <Body1>{t("openNone")}</Body1> : <List alarms={open} onAcknowledge={onAcknowledge} />}
      </Section>
      {known.length > 0 && (
        <Section title={t("acknowledged")}>
          <List alarms={known} />
        </Section>
      )}
    </>
  );
}

function List({ alarms, onAcknowledge }: { alarms: Alarm[]; onAcknowledge?: (alarm: Alarm) => void }) {
  const styles = useStyles();
  return (
    <ul className={styles.list}>
      {alarms.map((alarm) => (
        <li key={alarm.key}>
          <AlarmCard alarm={alarm} {...(onAcknowledge && { onAcknowledge: () => onAcknowledge(alarm) })} />
        </li>
      ))}
    </ul>
  );
}

function AlarmCard({ alarm, onAcknowledge }: { alarm: Alarm; onAcknowledge?: () => void }) {
  const styles = useStyles();
  const t = useTexts("alarms");
  const ago = useAgo();
  const may = useMay("run-backups");
  const { level, kind, message, hint, raised, acknowledged } = alarm;
  const place = placeOf(alarm);
  return (
    <Card className={styles.card}>
      <div className={styles.head}>
        <StatusBadge tone={TONE[level] ?? "neutral"}>{t(`level.${level}`, { defaultValue: level })}</StatusBadge>
        <Subtitle2 as="h3" className={styles.message}>
          {message}
        </Subtitle2>
        <Caption1 className={styles.quiet}>{t("raised", { ago: ago(raised) })}</Caption1>
      </div>
      <Body1 className={styles.hint}>
        <Words text={hint} />
      </Body1>
      {acknowledged && (
        <Caption1 className={styles.quiet}>
          {t("acknowledgedBy", { by: acknowledged.by, ago: ago(acknowledged.at), reason: acknowledged.reason })}
        </Caption1>
      )}
      <div className={styles.foot}>
        {place && (
          <TextLink {...place}>
            {t(`fix.${kind}`)}
          </TextLink>
        )}
        {may && onAcknowledge && (
          <Button size="small" aria-label={t("acknowledge.actionFor", { message })} onClick={onAcknowledge}>
            {t("acknowledge.action")}
          </Button>
        )}
      </div>
    </Card>
  );
}
