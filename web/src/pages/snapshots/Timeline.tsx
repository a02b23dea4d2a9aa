import { makeStyles, mergeClasses, tokens, Tooltip } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { apart } from "../../components/apart";
import { useTexts } from "../../texts";
import { changesOf, heights, type Snapshot } from "./change";
import { useChangeWords } from "./Marks";
import { isStale } from "./stale";

const HEIGHT = 56;
const LEAST = 6;

const useStyles = makeStyles({
  line: {
    display: "flex",
    alignItems: "flex-end",
    gap: "3px",
    height: `${HEIGHT}px`,
    margin: 0,
    padding: `0 0 ${tokens.spacingVerticalXS}`,
    listStyle: "none",
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    overflow: "hidden",
  },
  place: { flex: "1 1 0", minWidth: "6px", maxWidth: "24px", height: "100%", display: "flex", alignItems: "flex-end" },
  hit: { display: "flex", alignItems: "flex-end", width: "100%", height: "100%" },
  bar: {
    width: "100%",
    backgroundColor: tokens.colorCompoundBrandBackground,
    borderRadius: `${tokens.borderRadiusSmall} ${tokens.borderRadiusSmall} 0 0`,
    ":hover": { backgroundColor: tokens.colorCompoundBrandBackgroundHover },
  },
  stale: { backgroundColor: tokens.colorStatusWarningBorderActive, ":hover": { backgroundColor: tokens.colorStatusWarningForeground1 } },
});

const MOST = 60;

/** The last snapshots as bars, the oldest first. The list below tells the same in words. */
export function Timeline({ snapshots }: { snapshots: Snapshot[] }) {
  const styles = useStyles();
  const t = useTexts("snapshots");
  const words = useChangeWords();
  const shown = snapshots.slice(0, MOST).toReversed();
  const time = apart(shown);
  const tall = heights(shown.map((snapshot) => Object.values(changesOf(snapshot)).reduce((sum, one) => sum + one, 0)));
  return (
    <ol className={styles.line} aria-label={t("timeline")}>
      {shown.map((snapshot, index) => {
        const told = t("bar", { time: time(snapshot), changes: words(snapshot) });
        const stale = isStale(snapshot);
        const label = stale ? t("barStale", { label: told }) : told;
        return (
          <li key={snapshot.id} className={styles.place}>
            <Tooltip content={label} relationship="label">
              <Link to="/snapshots/$id" params={{ id: snapshot.id }} className={styles.hit}>
                <div className={mergeClasses(styles.bar, stale && styles.stale)} style={{ height: LEAST + (tall[index] ?? 0) * (HEIGHT - 2 * LEAST) }} />
              </Link>
            </Tooltip>
          </li>
        );
      })}
    </ol>
  );
}
