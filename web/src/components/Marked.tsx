/** @jsxImportSource react */
import { makeStyles, tokens } from "@fluentui/react-components";
import { useTexts } from "../texts";
import { partsOf } from "./unseen";

const useStyles = makeStyles({
  mark: {
    padding: "0 3px",
    borderRadius: tokens.borderRadiusSmall,
    border: `1px solid ${tokens.colorStatusWarningBorder1}`,
    backgroundColor: tokens.colorStatusWarningBackground1,
    color: tokens.colorNeutralForeground1,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: "0.9em",
    whiteSpace: "nowrap",
  },
});

/** A text in which something cannot be seen, with that shown by its code. */
export function Marked({ text }: { text: string }) {
  const styles = useStyles();
  const t = useTexts();
  return (
    <span dir="auto">
      {partsOf(text).map((part, index) =>
        "code" in part ? (
          // oxlint-disable-next-line react/no-array-index-key -- the parts of a text have no other name
          <span key={index} className={styles.mark} title={t("foreign.unseen", { code: part.code })}>
            {`<${part.code}>`}
          </span>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}
