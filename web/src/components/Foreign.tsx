import { makeStyles, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { useRouter } from "@tanstack/react-router";
import { useMemo, type MouseEvent } from "react";
import { useTexts } from "../texts";
import { cleanse, type Places } from "./foreign";
import { MARK } from "./mark";
import { toHtml } from "./markdown";

const useStyles = makeStyles({
  text: {
    overflowWrap: "anywhere",
    lineHeight: tokens.lineHeightBase300,
    overflowX: "auto",
    "& img": { maxWidth: "100%", height: "auto" },
    "& img:not([src])": {
      display: "inline-block",
      minWidth: "24px",
      minHeight: "24px",
      border: `1px dashed ${tokens.colorNeutralStroke1}`,
      borderRadius: tokens.borderRadiusSmall,
    },
    "& a[href]": { color: tokens.colorBrandForegroundLink },
    "& a[data-host]::after": { content: '" (" attr(data-host) ")"', color: tokens.colorNeutralForeground3 },
    "& [data-unseen]": MARK,
    "& table": { borderCollapse: "collapse" },
    "& th, & td": { border: `1px solid ${tokens.colorNeutralStroke2}`, padding: "4px 8px", textAlign: "start" },
    "& pre": {
      overflowX: "auto",
      padding: tokens.spacingHorizontalM,
      backgroundColor: tokens.colorNeutralBackground3,
      borderRadius: tokens.borderRadiusMedium,
    },
    "& code": { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
    "& blockquote": {
      margin: 0,
      paddingLeft: tokens.spacingHorizontalM,
      borderLeft: `3px solid ${tokens.colorNeutralStroke1}`,
      color: tokens.colorNeutralForeground2,
    },
    "& > :first-child": { marginTop: 0 },
    "& > :last-child": { marginBottom: 0 },
  },
});

interface Props extends Places {
  text: string;
  /** How it is written; plain text shows as it is. */
  format?: "html" | "markdown";
}

/** Text that others wrote, as they formatted it: nothing in it runs, is loaded from elsewhere or leads anywhere unseen. */
export function Foreign({ text, format = "html", image, link }: Props) {
  const styles = useStyles();
  const t = useTexts();
  const router = useRouter();
  const { html, blocked } = useMemo(() => {
    const source = format === "markdown" ? toHtml(text) : text;
    return cleanse(source, { ...(image && { image }), ...(link && { link }) });
  }, [text, format, image, link]);
  const hosts = [...new Set(blocked)];
  /** Places inside the console open without loading it anew. */
  const go = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target.closest("a[data-inside]") : null;
    const to = target?.getAttribute("href");
    if (!to || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    router.history.push(to);
  };
  return (
    <>
      {hosts.length > 0 && (
        <MessageBar layout="multiline">
          <MessageBarBody>{t("foreign.blocked", { count: blocked.length, hosts: hosts.slice(0, 5).join(", ") })}</MessageBarBody>
        </MessageBar>
      )}
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the links within are what is pressed */}
      <div className={styles.text} dir="auto" onClick={go} dangerouslySetInnerHTML={{ __html: html }} />
    </>
  );
}
