import { Caption1, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { when } from "../../components/format";
import { useNow } from "../../components/now";
import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import { type Run, standing } from "./standing";
import "./texts";

const useStyles = makeStyles({
  cell: { display: "flex", flexDirection: "column", alignItems: "flex-start", gap: tokens.spacingVerticalXXS },
  why: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere" },
  cut: {
    display: "-webkit-box",
    WebkitLineClamp: 2,
    WebkitBoxOrient: "vertical",
    overflowY: "hidden",
    overflowX: "hidden",
  },
});

/** How a run stands, and why; `short` for lists. */
export function RunState({ run, short = false }: { run: Run; short?: boolean }) {
  const styles = useStyles();
  const t = useTexts("runs");
  const { state, tone, why, until } = standing(run, useNow(5_000));
  return (
    <div className={styles.cell}>
      <StatusBadge tone={tone}>
        {t(short ? [`stateShort.${state}`, `state.${state}`] : `state.${state}`, { defaultValue: state })}
      </StatusBadge>
      {(why !== undefined || until !== undefined) && (
        <Caption1 className={mergeClasses(styles.why, short && styles.cut)}>
          {why} {until !== undefined && t("until", { time: when(until) })}
        </Caption1>
      )}
    </div>
  );
}
