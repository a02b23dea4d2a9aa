import { Body1, makeStyles, mergeClasses, Title3, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, CircleRegular, DismissCircleFilled, WarningFilled } from "@fluentui/react-icons";
import { createElement } from "react";
import { useAgo } from "../../components/now";
import { useTexts } from "../../texts";
import { type Overview, verdict, type Verdict as TheVerdict } from "./standing";
import "./texts";

const ICONS = {
  good: CheckmarkCircleFilled,
  warning: WarningFilled,
  bad: DismissCircleFilled,
  neutral: CircleRegular,
};

const useStyles = makeStyles({
  banner: {
    display: "flex",
    gap: tokens.spacingHorizontalL,
    alignItems: "center",
    padding: tokens.spacingHorizontalL,
    borderRadius: tokens.borderRadiusXLarge,
    border: "1px solid",
  },
  icon: { fontSize: "40px", lineHeight: 1, flexShrink: 0 },
  words: { display: "flex", flexDirection: "column", minWidth: 0 },
  sentence: { margin: 0, color: tokens.colorNeutralForeground1 },
  good: {
    color: tokens.colorStatusSuccessForeground1,
    backgroundColor: tokens.colorStatusSuccessBackground1,
    borderTopColor: tokens.colorStatusSuccessBorder1,
    borderRightColor: tokens.colorStatusSuccessBorder1,
    borderBottomColor: tokens.colorStatusSuccessBorder1,
    borderLeftColor: tokens.colorStatusSuccessBorder1,
  },
  warning: {
    color: tokens.colorStatusWarningForeground1,
    backgroundColor: tokens.colorStatusWarningBackground1,
    borderTopColor: tokens.colorStatusWarningBorder1,
    borderRightColor: tokens.colorStatusWarningBorder1,
    borderBottomColor: tokens.colorStatusWarningBorder1,
    borderLeftColor: tokens.colorStatusWarningBorder1,
  },
  bad: {
    color: tokens.colorStatusDangerForeground1,
    backgroundColor: tokens.colorStatusDangerBackground1,
    borderTopColor: tokens.colorStatusDangerBorder1,
    borderRightColor: tokens.colorStatusDangerBorder1,
    borderBottomColor: tokens.colorStatusDangerBorder1,
    borderLeftColor: tokens.colorStatusDangerBorder1,
  },
  neutral: {
    color: tokens.colorNeutralForeground2,
    backgroundColor: tokens.colorNeutralBackground2,
    borderTopColor: tokens.colorNeutralStroke2,
    borderRightColor: tokens.colorNeutralStroke2,
    borderBottomColor: tokens.colorNeutralStroke2,
    borderLeftColor: tokens.colorNeutralStroke2,
  },
});

function useSentence() {
  const t = useTexts("overview");
  return ({ key, values }: TheVerdict): string => {
    if (key === "well" || key === "wellWithNotes") return t(`verdict.${key}`, { count: values["all"] });
    if (key === "attention" && values["count"] === 0) return t("verdict.attentionAll");
    return t(`verdict.${key}`, values);
  };
}

/** Whether all is well: one sentence, told by color, icon and words alike. */
export function Verdict({ overview }: { overview: Overview }) {
  const styles = useStyles();
  const t = useTexts("overview");
  const sentence = useSentence();
  const ago = useAgo();
  const found = verdict(overview);
  const newest = overview.sources.flatMap(({ last_good: last }) => (last ? [last.at] : [])).toSorted().at(-1);
  const next = overview.next_runs[0]?.at;
  return (
    <div className={mergeClasses(styles.banner, styles[found.tone])} role="status">
      <span className={styles.icon} aria-hidden>
        {createElement(ICONS[found.tone])}
      </span>
      <div className={styles.words}>
        <Title3 as="h2" className={styles.sentence}>
          {sentence(found)}
        </Title3>
        <Body1 className={styles.sentence}>
          {found.key === "empty" && t("verdict.emptyHint")}
          {found.key === "reconnect" && t("verdict.reconnectHint")}
          {newest && t("verdict.newest", { ago: ago(newest) })} {next && t("verdict.nextRun", { ago: ago(next) })}
        </Body1>
      </div>
    </div>
  );
}
