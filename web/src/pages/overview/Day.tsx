import { Body1, makeStyles, tokens } from "@fluentui/react-components";
import { Facts } from "../../components/Facts";
import { count, duration } from "../../components/format";
import { Section } from "../../components/Section";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import type { Overview } from "./standing";
import "./texts";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXS },
  row: { display: "flex", flexWrap: "wrap", justifyContent: "space-between", gap: tokens.spacingHorizontalM },
});

const FEW = 5;

const STATES = { succeeded: "succeeded", with_issues: "succeeded_with_issues", failed: "failed", canceled: "canceled" } as const;

/** What became of the runs of the last day. */
export function RunsOfDay({ day }: { day: Overview["runs"]["last_day"] }) {
  const t = useTexts("overview");
  const kinds = Object.keys(STATES) as (keyof typeof STATES)[];
  if (kinds.every((kind) => day[kind] === 0)) {
    return (
      <Section title={t("day.title")}>
        <Body1>{t("day.none")}</Body1>
      </Section>
    );
  }
  return (
    <Section title={t("day.title")}>
      <Facts
        facts={kinds.map((kind) => [
          t(`day.${kind}`),
          <TextLink key={kind} to="/runs" search={{ state: STATES[kind] }}>
            {count(day[kind])}
          </TextLink>,
        ])}
      />
    </Section>
  );
}

/** What the schedules will do. */
export function NextRuns({ next }: { next: Overview["next_runs"] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  return (
    <Section title={t("next.title")}>
      {next.length === 0 ? (
        <Body1>{t("next.none")}</Body1>
      ) : (
        <ol className={styles.list}>
          {next.slice(0, FEW).map(({ policy, connector, at }) => (
            <li key={`${policy} ${connector}`} className={styles.row}>
              <TextLink to="/policies/$name" params={{ name: policy }}>
                {t("next.row", { connector, policy })}
              </TextLink>
              <Time at={at} />
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

/** Requests are scarce: how many there were, and how long services made us wait. */
export function Requests({ requests }: { requests: Overview["requests"] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  const { last_day: day, throttled_seconds: throttled, connectors } = requests;
  return (
    <Section title={t("requests.title")}>
      <Facts
        facts={[
          [t("requests.day"), count(day)],
          [t("requests.throttled"), throttled > 0 ? duration(throttled) : t("requests.never")],
        ]}
      />
      {connectors.length > 1 && (
        <ul className={styles.list} aria-label={t("requests.connectors")}>
          {connectors.slice(0, FEW).map((one) => (
            <li key={one.connector} className={styles.row}>
              <span>{one.connector}</span>
              <span>
                {one.throttled_seconds > 0
                  ? t("requests.rowThrottled", { count: one.requests, time: duration(one.throttled_seconds) })
                  : t("requests.row", { count: one.requests })}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
