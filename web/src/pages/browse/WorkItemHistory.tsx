import { Body1, Button, Caption1, makeStyles, MessageBar, MessageBarBody, Subtitle2, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { when } from "../../components/format";
import { Foreign } from "../../components/Foreign";
import { Empty, Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { Difference } from "./Difference";
import { useRecords, type ViewProps } from "./item";
import { usePlaces } from "./places";
import { inWords } from "./records";
import { type Change, type FieldChange, fieldName, historyOf } from "./revisions";

const FIRST = 50;

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  change: {
    paddingLeft: tokens.spacingHorizontalM,
    borderLeft: `3px solid ${tokens.colorNeutralStroke2}`,
    display: "flex",
    flexDirection: "column",
    gap: tokens.spacingVerticalXS,
    minWidth: 0,
  },
  title: { margin: 0, overflowWrap: "anywhere" },
  fields: { margin: 0, display: "grid", gridTemplateColumns: "minmax(0, 1fr)", gap: tokens.spacingVerticalXS },
  name: { fontWeight: tokens.fontWeightSemibold },
  value: { margin: 0, overflowWrap: "anywhere" },
  old: { color: tokens.colorNeutralForeground3, textDecorationLine: "line-through" },
});

/** Who changed which field of a work item, when and how. */
export function WorkItemHistory(props: ViewProps) {
  const styles = useStyles();
  const t = useTexts("browse");
  const places = usePlaces(props);
  const [most, show] = useState(FIRST);
  const records = useRecords(props.snapshot.id, props.item, "revisions.ndjson");
  return (
    <Loaded query={records}>
      {({ items, damaged, cut }) => {
        const changes = historyOf(items);
        if (changes.length === 0) return <Empty title={t("history.none")} />;
        return (
          <>
            {(damaged.length > 0 || cut) && (
              <MessageBar intent="warning" layout="multiline">
                <MessageBarBody>{cut ? t("history.cut") : t("history.damaged", { count: damaged.length })}</MessageBarBody>
              </MessageBar>
            )}
            <ol className={styles.list} aria-label={t("history.label")}>
              {changes.slice(0, most).map((change) => (
                <li key={change.revision} className={styles.change}>
                  <OneChange change={change} />
                  {change.comment && <Foreign text={change.comment} image={places.image} link={places.link} />}
                </li>
              ))}
            </ol>
            {changes.length > most && <Button onClick={() => show(most + 10 * FIRST)}>{t("action.loadMore")}</Button>}
          </>
        );
      }}
    </Loaded>
  );
}

function OneChange({ change: { revision, at, by, fields } }: { change: Change }) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <>
      <Subtitle2 as="h2" className={styles.title}>
        {by ?? t("history.revision", { number: revision })}
      </Subtitle2>
      <Caption1>
        {at && `${when(at)} · `}
        {t("history.revision", { number: revision })}
      </Caption1>
      {fields.length === 0 ? (
        <Body1>{t("history.nothing")}</Body1>
      ) : (
        <dl className={styles.fields}>
          {fields.map((field) => (
            <OneField key={field.field} change={field} />
          ))}
        </dl>
      )}
    </>
  );
}

const SHORT = 120;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

function told(value: unknown): string {
  const words = inWords(value);
  return TIME.test(words) ? when(words) : words;
}

function OneField({ change: { field, before, after } }: { change: FieldChange }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [from, to] = [told(before), told(after)];
  const long = from.length > SHORT || to.length > SHORT;
  return (
    <div>
      <dt className={styles.name}>{fieldName(field)}</dt>
      <dd className={styles.value}>
        {long ? (
          <Difference before={from} after={to} name={fieldName(field)} />
        ) : (
          <>
            {from && <del className={styles.old}>{from}</del>}
            {from && " → "}
            {to === "" ? t("history.empty") : <ins style={{ textDecoration: "none" }}>{to}</ins>}
          </>
        )}
      </dd>
    </div>
  );
}
