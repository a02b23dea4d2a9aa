import { Checkbox, Field, makeStyles } from "@fluentui/react-components";
import { type ReactNode, useId } from "react";
import { wrong as mark } from "./form";

const useStyles = makeStyles({
  one: { display: "flex", alignItems: "flex-start" },
  row: { display: "flex", flexWrap: "wrap" },
});

interface Props<One extends string> {
  label: string;
  hint?: string | undefined;
  /** One after another in a line; else one below another. */
  inRow?: boolean;
  /** What is wrong with the choice. */
  wrong?: string | undefined;
  of: readonly One[];
  chosen: readonly string[];
  /** In the order in which they are shown. */
  onChange: (chosen: One[]) => void;
  words: (one: One) => ReactNode;
}

/** Boxes to tick under one label: a `Field` around them would give its own label and id to each. */
export function Choices<One extends string>({ label, hint, inRow = false, wrong, of, chosen, onChange, words }: Props<One>) {
  const styles = useStyles();
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <Field label={{ children: label, id }} hint={hint} {...mark(wrong)} />
      <div className={inRow ? styles.row : undefined}>
        {of.map((one) => (
          <Checkbox
            key={one}
            className={styles.one}
            label={{ children: words(one) }}
            checked={chosen.includes(one)}
            onChange={(_, { checked }) => onChange(of.filter((other) => (other === one ? checked === true : chosen.includes(other))))}
          />
        ))}
      </div>
    </div>
  );
}
