import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useTexts } from "../../texts";
import { diffLines, stretches } from "./lines";
import { readable } from "./readable";

const useStyles = makeStyles({
  frame: {
    overflowX: "auto",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
  },
  line: { display: "flex", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  sign: { flexShrink: 0, width: "20px", textAlign: "center", userSelect: "none" },
  added: { backgroundColor: tokens.colorStatusSuccessBackground1 },
  removed: { backgroundColor: tokens.colorStatusDangerBackground1 },
  left: { padding: "2px 20px", color: tokens.colorNeutralForeground3, backgroundColor: tokens.colorNeutralBackground3 },
});

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

/** What differs between two values, line by line; signs tell what colors tell. Of formatted texts what people read, unless only the formatting differs. */
export function Difference({ before, after, name }: { before: string; after: string; name: string }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [was, is] = [readable(before), readable(after)];
  const lines = was === is ? diffLines(before, after) : diffLines(was, is);
  return (
    <div className={styles.frame} role="group" aria-label={t("diff.label", { name })}>
      {stretches(lines).map((stretch, index) =>
        "left" in stretch ? (
          // oxlint-disable-next-line react/no-array-index-key -- stretches have no other name and never move
          <div key={index} className={styles.left}>
            {t("diff.left", { count: stretch.left })}
          </div>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key -- as above
          <div key={index}>
            {stretch.lines.map(({ op, text }, line) => (
              // oxlint-disable-next-line react/no-array-index-key -- as above
              <div key={line} className={mergeClasses(styles.line, op !== "same" && styles[op])}>
                <span className={styles.sign} aria-label={op === "same" ? undefined : t(`diff.${op}`)}>
                  {SIGNS[op]}
                </span>
                <span>{text}</span>
              </div>
            ))}
          </div>
        ),
      )}
    </div>
  );
}
