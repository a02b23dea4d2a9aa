import { Body1, Card, makeStyles, MessageBar, MessageBarBody, ProgressBar, tokens } from "@fluentui/react-components";
import { useCallback, useEffect, useState } from "react";
import { type LiveEvent, useLiveEvents } from "../../api/live";
import { Facts } from "../../components/Facts";
import { bytes, count, duration, when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { advance, NOTHING, pace, parsePhase, type Progress, remaining, resume, share } from "./progress";
import "./texts";

const useStyles = makeStyles({
  phase: { fontWeight: tokens.fontWeightSemibold },
  notes: { margin: 0, paddingLeft: tokens.spacingHorizontalXL },
});

/** What the run's events told since the page opened, and until the first one how far it was by then. */
function useProgress(run: string, far: unknown): Progress {
  const [progress, setProgress] = useState(NOTHING);
  const listener = useCallback(
    (event: LiveEvent) => {
      if (event.topic === "runs" && event.subject === run) setProgress((before) => advance(before, event, Date.now()));
    },
    [run],
  );
  useLiveEvents(listener);
  // A pause ends without an event.
  const until = progress.pause?.until;
  useEffect(() => {
    if (until === undefined) return;
    const timer = setTimeout(() => setProgress((before) => ({ ...before, pause: null })), Math.max(0, until - Date.now()));
    return () => clearTimeout(timer);
  }, [until]);
  return resume(progress, far);
}

/** A run at work, as it works. */
export function Live({ run, far }: { run: string; far?: unknown }) {
  const styles = useStyles();
  const t = useTexts("runs");
  const progress = useProgress(run, far);
  const heard = progress.phase !== null || progress.samples.length > 0;
  const part = share(progress);
  return (
    <Section title={t("live.title")}>
      <Card>
        <div aria-live="polite">
          <Body1 className={styles.phase}>{heard ? <Phase phase={progress.phase ?? ""} /> : t("live.listening")}</Body1>
        </div>
        <ProgressBar aria-label={t("live.progress")} thickness="large" {...(part !== null && { value: part })} />
        {progress.pause && (
          <MessageBar intent="warning" layout="multiline">
            <MessageBarBody>
              {t("live.paused", { time: when(new Date(progress.pause.until).toISOString()), reason: progress.pause.reason })}
            </MessageBarBody>
          </MessageBar>
        )}
        {heard && <Numbers progress={progress} />}
        {progress.notes.length > 0 && (
          <ul className={styles.notes} aria-label={t("detail.notes")}>
            {progress.notes.map((note, number) => (
              // Notes are only ever added at the end.
              // oxlint-disable-next-line react/no-array-index-key
              <li key={number}>{note}</li>
            ))}
          </ul>
        )}
      </Card>
    </Section>
  );
}

function Phase({ phase }: { phase: string }) {
  const t = useTexts("runs");
  const title = useKindTitle();
  const { verb, kind, scope } = parsePhase(phase);
  const words = t([`phase.${verb}`, "phase.other"], { phase: verb });
  if (kind === null) return words;
  return `${words}: ${scope === null ? title(kind) : t("object", { kind: title(kind), scope })}`;
}

function Numbers({ progress }: { progress: Progress }) {
  const t = useTexts("runs");
  const [items, received] = [pace(progress, "items"), pace(progress, "bytes")];
  const left = remaining(progress);
  const { expected, budgetLeft } = progress;
  return (
    <Facts
      facts={[
        [
          t("live.items"),
          expected === null
            ? count(progress.items)
            : t("live.itemsOf", { items: count(progress.items), expected: count(Math.max(expected, progress.items)) }),
        ],
        [t("live.current"), progress.current],
        [t("live.bytes"), bytes(progress.bytes)],
        [
          t("live.rate"),
          items !== null && received !== null && t("live.rateWords", { items: count(Math.round(items)), bytes: bytes(received) }),
        ],
        [t("live.left"), left !== null && t("live.leftWords", { time: duration(left) })],
        [t("live.requests"), count(progress.requests)],
        [
          t("live.budget"),
          budgetLeft !== null && (budgetLeft >= 1 ? t("live.budgetWords", { count: Math.round(budgetLeft) }) : t("live.budgetGone")),
        ],
        [t("live.issues"), progress.issues > 0 && count(progress.issues)],
      ]}
    />
  );
}
