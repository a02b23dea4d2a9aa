import { Field, Input, makeStyles, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import type { At } from "./editing";

const useStyles = makeStyles({
  // Inputs have a least width of their own, which a column may not have.
  input: { minWidth: 0, width: "100%", "& input": { minWidth: 0, width: "100%" } },
});

interface Props {
  label: string;
  hint?: string;
  /** What it begins with; give the field another `key` to begin anew. */
  initial: string;
  onText: (text: string) => void;
  wrong?: ReturnType<At>;
  rows?: number;
  /** A number: phones show digits. */
  digits?: boolean;
  type?: "text" | "time";
}

/** A field that keeps what was typed as it was typed, also while it is no value yet: `1.`, `06:00, `. */
export function Typed({ label, hint, initial, onText, wrong, rows, digits = false, type = "text" }: Props) {
  const styles = useStyles();
  const [text, setText] = useState(initial);
  const onChange = (_: unknown, { value }: { value: string }) => {
    setText(value);
    onText(value);
  };
  return (
    <Field label={label} {...(hint !== undefined && { hint })} {...wrong}>
      {rows === undefined ? (
        <Input className={styles.input} value={text} onChange={onChange} type={type} autoComplete="off" {...(digits && { inputMode: "numeric" as const })} />
      ) : (
        <Textarea value={text} onChange={onChange} rows={rows} resize="vertical" spellCheck={false} />
      )}
    </Field>
  );
}
