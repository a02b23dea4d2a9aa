import {
  Body1,
  Button,
  makeStyles,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  Subtitle2,
  tokens,
} from "@fluentui/react-components";
import { CodeRegular } from "@fluentui/react-icons";
import { createContext, useContext } from "react";
import { useTexts } from "../texts";
import { Code } from "./Code";
import { commandLine } from "./commandLine";
import { quoted } from "./quoted";

/** Whether the form around makes sense to send. */
export const Ready = createContext(true);

const useStyles = makeStyles({
  surface: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS, maxWidth: "min(90vw, 720px)" },
});

interface Props {
  /** The words after `keepward`: `["backup", "contoso"]`. Absent for what the command line does not have. */
  cli?: readonly string[];
  /** The same for what takes several commands, one after another. */
  commands?: readonly (readonly string[])[];
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path under /api/v1. */
  path: string;
  body?: unknown;
  /** The file that the answer goes into. */
  file?: string;
  /** What it is that is shown, where several stand side by side. */
  of?: string;
  /** Whether it is whole; as the form around it when absent. What cannot be sent yet is not shown: what is missing in it may be what narrows it. */
  ready?: boolean;
}

function curl({ method, path, body, file }: Props): string {
  const parts = ["curl", "--fail-with-body", "--request", method];
  parts.push("--header", '"Authorization: Bearer $(cat token)"');
  if (body !== undefined) {
    parts.push("--header", "'Content-Type: application/json'", "--data", quoted(JSON.stringify(body)));
  }
  if (file !== undefined) parts.push("--output", quoted(file));
  parts.push(quoted(`${location.origin}/api/v1${path}`));
  return parts.join(" ");
}

/** The same action on the command line and over the API. */
export function ShowAs(props: Props) {
  const styles = useStyles();
  const t = useTexts();
  const around = useContext(Ready);
  const name = props.of === undefined ? t("action.showAs") : t("action.showAsOf", { action: props.of });
  return (
    <Popover trapFocus positioning="below-end">
      <PopoverTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<CodeRegular />} aria-label={name} title={name} />
      </PopoverTrigger>
      <PopoverSurface className={styles.surface} aria-label={t("showAs.title")}>
        {(props.ready ?? around) ? <Ways {...props} /> : <Body1>{t("showAs.unfinished")}</Body1>}
      </PopoverSurface>
    </Popover>
  );
}

function Ways(props: Props) {
  const t = useTexts();
  const commands = props.commands ?? (props.cli ? [props.cli] : []);
  const told = commands.map((words) => commandLine(words, ["--server", location.origin, "--token-file", "token"]));
  const ways = [[t("showAs.curl"), curl(props)]];
  if (told.length > 0) ways.unshift([t("showAs.cli"), told.join("\n")]);
  return ways.map(([title, text = ""]) => (
    <div key={title}>
      <Subtitle2 as="h2">{title}</Subtitle2>
      <Code text={text} />
    </div>
  ));
}
