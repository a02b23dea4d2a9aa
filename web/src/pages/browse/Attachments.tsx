import { Link, makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, tokens } from "@fluentui/react-components";
import { bytes } from "../../components/format";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import { contentUrl } from "./content";
import type { ViewProps } from "./item";
import { type Attachment, attachmentsOf } from "./links";
import { useAttachmentPaths } from "./places";
import { Damaged } from "./WorkItemForm";
import { Scroll } from "./Scroll";

const useStyles = makeStyles({
  preview: {
    display: "block",
    maxWidth: "min(320px, 100%)",
    maxHeight: "200px",
    marginTop: tokens.spacingVerticalXS,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  cell: { overflowWrap: "anywhere", paddingTop: tokens.spacingVerticalXS, paddingBottom: tokens.spacingVerticalXS },
});

const IMAGE = /\.(?:png|jpe?g|gif|webp)$/i;
const PREVIEWED = 4_000_000;

/** The files of a work item. */
export function Attachments(props: ViewProps) {
  const t = useTexts("browse");
  const pathOf = useAttachmentPaths(props);
  if (!props.document) return <Damaged />;
  const attachments = attachmentsOf(props.document);
  if (attachments.length === 0) return <Empty title={t("attachments.none")} />;
  return (
    <Scroll label={t("item.attachments")} width={560}>
      <Table aria-label={t("item.attachments")}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("attachments.name")}</TableHeaderCell>
            <TableHeaderCell>{t("attachments.size")}</TableHeaderCell>
            <TableHeaderCell>{t("attachments.comment")}</TableHeaderCell>
          </TableRow>
        </TableHeader>
        <TableBody>
          {attachments.map((attachment) => (
            <Row key={attachment.id} snapshot={props.snapshot.id} attachment={attachment} path={pathOf(attachment.id)} />
          ))}
        </TableBody>
      </Table>
    </Scroll>
  );
}

function Row({ snapshot, attachment: { name, size, comment }, path }: { snapshot: string; attachment: Attachment; path: string | undefined }) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <TableRow>
      <TableCell className={styles.cell}>
        {path === undefined ? (
          <>
            {name} <StatusBadge tone="warning">{t("attachments.missing")}</StatusBadge>
          </>
        ) : (
          <>
            <Link href={contentUrl(snapshot, path, name)} download={name}>
              {name}
            </Link>
            {IMAGE.test(name) && (size ?? 0) < PREVIEWED && (
              <img className={styles.preview} src={contentUrl(snapshot, path)} alt={t("attachments.preview", { name })} loading="lazy" />
            )}
          </>
        )}
      </TableCell>
      <TableCell className={styles.cell}>{size === undefined ? "" : bytes(size)}</TableCell>
      <TableCell className={styles.cell}>{comment}</TableCell>
    </TableRow>
  );
}
