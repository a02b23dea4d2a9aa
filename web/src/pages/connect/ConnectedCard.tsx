import { Button, Card, makeStyles, Subtitle2, Text, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled } from "@fluentui/react-icons";
import { useTexts } from "../../texts";
import "./texts";

const useStyles = makeStyles({
  title: { margin: 0 },
  card: { flexDirection: "row", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  words: { display: "flex", flexDirection: "column", flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  mark: { color: tokens.colorStatusSuccessForeground1, fontSize: "32px", flexShrink: 0 },
});

interface Props {
  title: string;
  /** As whom; nobody where no person is needed. */
  account: string;
  person: boolean;
  onDifferent: () => void;
}

/** SRE-18: connected, with a green check; SRE-20: or as somebody else. */
export function ConnectedCard({ title, account, person, onDifferent }: Props) {
  const styles = useStyles();
  const t = useTexts("connect");
  return (
    <Card className={styles.card} role="status">
      <CheckmarkCircleFilled className={styles.mark} aria-hidden />
      <div className={styles.words}>
        <Subtitle2 as="h2" className={styles.title}>{title}</Subtitle2>
        <Text>{person ? t("signIn.connectedAs", { account }) : t("signIn.unattended")}</Text>
      </div>
      {person && <Button onClick={onDifferent}>{t("signIn.different")}</Button>}
    </Card>
  );
}
