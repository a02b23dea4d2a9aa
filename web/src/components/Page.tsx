import { makeStyles, Title2, Text, tokens } from "@fluentui/react-components";
import { useEffect, type ReactNode } from "react";
import { TITLE } from "./focus";
import { shown } from "./unseen";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalL, maxWidth: "1600px" },
  head: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, alignItems: "flex-start" },
  words: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXS, flexGrow: 1, minWidth: 0 },
  title: { margin: 0, overflowWrap: "anywhere" },
  about: { color: tokens.colorNeutralForeground2, maxWidth: "80ch" },
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS },
});

interface Props {
  title: string;
  about?: ReactNode;
  /** Above the title: the way back. */
  trail?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: names the document too. */
export function Page({ title, about, trail, actions, children }: Props) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${shown(title)} · Keepward`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.words}>
          {trail}
          <Title2 as="h1" id={TITLE} className={styles.title}>
            {title}
          </Title2>
          {about && <Text className={styles.about}>{about}</Text>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
