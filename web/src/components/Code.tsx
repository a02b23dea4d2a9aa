import { makeStyles, tokens } from "@fluentui/react-components";
import { CopyButton } from "./CopyButton";

const useStyles = makeStyles({
  line: { display: "flex", gap: tokens.spacingHorizontalS, alignItems: "flex-start" },
  code: {
    flexGrow: 1,
    minWidth: 0,
    margin: 0,
    padding: tokens.spacingVerticalS,
    overflowX: "auto",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    backgroundColor: tokens.colorNeutralBackground3,
    borderRadius: tokens.borderRadiusMedium,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
  },
});

/** A text that people copy: a command, a token, an address. */
export function Code({ text, label }: { text: string; label?: string }) {
  const styles = useStyles();
  return (
    <div className={styles.line}>
      <pre className={styles.code}>{text}</pre>
      <CopyButton text={text} {...(label !== undefined && { label })} />
    </div>
  );
}
