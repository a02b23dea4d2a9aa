import {
  Button,
  makeStyles,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  Subtitle2,
  tokens,
} from "@fluentui/react-components";
import { CodeRegular } from "@fluentui/react-icons";
import { useTexts } from "../texts";
import { CopyButton } from "./CopyButton";

const useStyles = makeStyles({
  surface: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS, maxWidth: "min(90vw, 720px)" },
  line: { display: "flex", gap: tokens.spacingHorizontalS, alignItems: "flex-start" },
  code: {
    flexGrow: 1,
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

interface Props {
  /** The words after `keepward`: `["backup", "contoso"]`. */
  cli: string[];
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path under /api/v1. */
  path: string;
  body?: unknown;
}

/** Quotes a word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function curl({ method, path, body }: Props): string {
  const parts = ["curl", "--fail-with-body", "--request", method];
  parts.push("--header", '"Authorization: Bearer $(cat token)"');
  if (body !== undefined) {
    parts.push("--header", "'Content-Type: application/json'", "--data", quoted(JSON.stringify(body)));
  }
  parts.push(quoted(`${location.origin}/api/v1${path}`));
  return parts.join(" ");
}

/** The same action on the command line and over the API. */
export function ShowAs(props: Props) {
  const styles = useStyles();
  const t = useTexts();
  const cli = ["keepward", ...props.cli].map(quoted).join(" ");
  return (
    <Popover trapFocus positioning="below-end">
      <PopoverTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<CodeRegular />} aria-label={t("action.showAs")} title={t("action.showAs")} />
      </PopoverTrigger>
      <PopoverSurface className={styles.surface} aria-label={t("showAs.title")}>
        {(
          [
            [t("showAs.cli"), `${cli} --server ${location.origin} --token-file token`],
            [t("showAs.curl"), curl(props)],
          ] as const
        ).map(([title, text]) => (
          <div key={title}>
            <Subtitle2 as="h2">{title}</Subtitle2>
            <div className={styles.line}>
              <pre className={styles.code}>{text}</pre>
              <CopyButton text={text} />
            </div>
          </div>
        ))}
      </PopoverSurface>
    </Popover>
  );
}
