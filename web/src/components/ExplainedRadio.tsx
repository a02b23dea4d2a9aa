import { makeStyles, Radio, Text, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  words: { display: "flex", flexDirection: "column", paddingBottom: tokens.spacingVerticalXS, maxWidth: "72ch" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

interface Props {
  value: string;
  title: string;
  /** What speaks for it, in a line each. */
  about: readonly ReactNode[];
}

/** One of a few ways, with what it means: stands in a `RadioGroup`. */
export function ExplainedRadio({ value, title, about }: Props) {
  const styles = useStyles();
  return (
    <Radio
      value={value}
      label={
        <span className={styles.words}>
          <Text weight="semibold">{title}</Text>
          {about.map((line, index) => (
            <Text key={index} size={200} className={styles.quiet}>
              {line}
            </Text>
          ))}
        </span>
      }
    />
  );
}
