/** @jsxImportSource react */
import { makeStyles } from "@fluentui/react-components";
import { useTexts } from "../texts";
import { MARK } from "./mark";
import { partsOf } from "./unseen";

const useStyles = makeStyles({ mark: MARK });

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
