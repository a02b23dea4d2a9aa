import { Caption1, makeStyles, tokens } from "@fluentui/react-components";
import { useTexts } from "../texts";
import { Words } from "./Words";

const useStyles = makeStyles({
  why: { color: tokens.colorStatusDangerForeground1, overflowWrap: "anywhere" },
});

/** That nobody can tell where a connector leads, and what to do about it. Nothing where somebody can. */
export function Unplaced({ why }: { why: string | null | undefined }) {
  const styles = useStyles();
  const t = useTexts();
  if (why == null) return null;
  return (
    <Caption1 block className={styles.why}>
      {t("unplaced.title")} <Words text={why} />. {t("unplaced.next")}
    </Caption1>
  );
}
