import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTexts } from "../texts";

const useStyles = makeStyles({
  bar: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fill, minmax(min(200px, 100%), 1fr))",
    gap: tokens.spacingHorizontalM,
    alignItems: "end",
  },
});

/** The filters of a list, above it. */
export function Filters({ children }: { children: ReactNode }) {
  const styles = useStyles();
  const t = useTexts();
  return (
    <div className={styles.bar} role="group" aria-label={t("action.filter")}>
      {children}
    </div>
  );
}
