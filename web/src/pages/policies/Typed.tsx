import { Field, Input, makeStyles, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { wrong as marked } from "../../components/form";
import { useTexts } from "../../texts";
import type { At } from "./editing";
import "./texts";

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
  /** Which texts are values, where not all are. The form is not sent with another one: it would stand for something that nobody wrote. */
  numbers?: Numbers;
  type?: "text" | "time";
}

type Numbers = "whole" | "decimal";

const PATTERNS: Record<Numbers, string> = { whole: String.raw`\s*\d{0,10}\s*`, decimal: String.raw`\s*\d{0,10}([.,]\d{0,6})?\s*` };

/** Whether a text is a number of this sort, or nothing. */
export function fits(text: string, numbers: Numbers): boolean {
  return new RegExp(`^${PATTERNS[numbers]}$`).test(text);
}

/** A field that keeps what was typed as it was typed, also while it is no value yet: `1.`, `06:00, `. */
export function Typed({ label, hint, initial, onText, wrong, rows, numbers, type = "text" }: Props) {
  const styles = useStyles();
  const t = useTexts("policies");
  const [text, setText] = useState(initial);
  const onChange = (_: unknown, { value }: { value: string }) => {
    setText(value);
    onText(value);
  };
  return (
    <Field label={label} {...(hint !== undefined && { hint })} {...wrong} {...(numbers && !fits(text, numbers) && marked(t(`numbers.${numbers}`)))}>
      {rows === undefined ? (
        <Input
          className={styles.input}
          value={text}
          onChange={onChange}
          type={type}
          autoComplete="off"
          {...(numbers && { pattern: PATTERNS[numbers], inputMode: numbers === "whole" ? ("numeric" as const) : ("decimal" as const) })}
        />
      ) : (
        <Textarea value={text} onChange={onChange} rows={rows} resize="vertical" spellCheck={false} />
      )}
    </Field>
  );
}
