import { Body1, Button, Caption1, makeStyles, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { bytes } from "../../components/format";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { MOST, useContent, type Content } from "./content";
import { FileText } from "./FileText";
import { linesOf } from "./lines";

const useStyles = makeStyles({
  file: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS, minWidth: 0 },
  head: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, alignItems: "center" },
  grow: { flexGrow: 1 },
  image: {
    maxWidth: "100%",
    maxHeight: "70vh",
    objectFit: "contain",
    alignSelf: "flex-start",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground3,
  },
});

interface Props {
  name: string;
  url: string;
  download: string;
  actions?: ReactNode;
}

const LFS = "version https://git-lfs.github.com/spec/";

/** A stored file: text with line numbers, images as such, anything else to be downloaded. */
export function FileView({ name, url, download, actions }: Props) {
  const styles = useStyles();
  const t = useTexts("browse");
  const content = useContent(url);
  return (
    <div className={styles.file}>
      <div className={styles.head}>
        <Caption1 className={styles.grow}>{content.data && <About content={content.data} />}</Caption1>
        {actions}
        <Button as="a" size="small" icon={<ArrowDownloadRegular />} href={download} download={name}>
          {t("files.download")}
        </Button>
      </div>
      <Loaded query={content}>{(data) => <Shown name={name} url={url} content={data} />}</Loaded>
    </div>
  );
}

function About({ content: { type, text, size, cut } }: { content: Content }) {
  const t = useTexts("browse");
  const lines = type === "text" && !cut ? ` · ${t("files.lines", { count: linesOf(text).length })}` : "";
  return (
    <>
      {bytes(size)}
      {lines}
    </>
  );
}

function Shown({ name, url, content }: { name: string; url: string; content: Content }) {
  const styles = useStyles();
  const t = useTexts("browse");
  if (content.type === "image") return <img className={styles.image} src={url} alt={name} />;
  if (content.type === "binary") return <Body1>{t("files.binary")}</Body1>;
  if (content.size === 0) return <Body1>{t("files.empties")}</Body1>;
  const note = content.text.startsWith(LFS) ? t("files.lfs") : content.cut ? t("files.cut", { size: bytes(MOST), whole: bytes(content.size) }) : undefined;
  return (
    <>
      {note && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{note}</MessageBarBody>
        </MessageBar>
      )}
      <FileText lines={linesOf(content.text)} label={t("files.content", { name })} />
    </>
  );
}
