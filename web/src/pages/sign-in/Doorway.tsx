import { Card, makeStyles, Title2, tokens } from "@fluentui/react-components";
import { ShieldCheckmarkFilled } from "@fluentui/react-icons";
import { useEffect, type ReactNode } from "react";

const useStyles = makeStyles({
  place: {
    minHeight: "100vh",
    display: "grid",
    placeItems: "center",
    padding: tokens.spacingHorizontalL,
    boxSizing: "border-box",
    backgroundColor: tokens.colorNeutralBackground3,
  },
  card: { width: "min(440px, 100%)", padding: tokens.spacingHorizontalXXL, boxSizing: "border-box" },
  mark: { color: tokens.colorBrandForeground1, fontSize: "40px" },
});

/** The frame of the pages before sign-in. */
export function Doorway({ title, children }: { title: string; children: ReactNode }) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${title} · Keepward`;
  }, [title]);
  return (
    <main className={styles.place}>
      <Card className={styles.card}>
        <ShieldCheckmarkFilled className={styles.mark} aria-hidden />
        <Title2 as="h1">{title}</Title2>
        {children}
      </Card>
    </main>
  );
}
