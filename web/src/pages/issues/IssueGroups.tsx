import { Body1, Button, Caption1, Card, makeStyles, Subtitle2, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { when } from "../../components/format";
import { useAgo } from "../../components/now";
import { useKindTitle } from "../../components/kinds";
import { StatusBadge } from "../../components/StatusBadge";
import { Words } from "../../components/Words";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { NUMBERED } from "../browse/order";
import { AcknowledgeIssues } from "./AcknowledgeIssues";
import { type Group, grouped, isOpen, key, type Row } from "./group";
import "./texts";

const FEW = 5;
/** More are not taken in one request. */
const AT_ONCE = 1_000;

const useStyles = makeStyles({
  groups: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  head: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, alignItems: "center" },
  title: { margin: 0, flexGrow: 1, overflowWrap: "anywhere" },
  hint: { display: "block", maxWidth: "90ch" },
  list: { listStyle: "none", margin: 0, padding: 0 },
  row: {
    display: "flex",
    flexWrap: "wrap",
    gap: tokens.spacingHorizontalM,
    justifyContent: "space-between",
    alignItems: "flex-start",
    padding: `${tokens.spacingVerticalS} 0`,
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  words: { display: "flex", flexDirection: "column", minWidth: 0, flex: "1 1 320px", overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

interface Props {
  rows: Row[];
  /** They are those of one run: what has no history is new. */
  ofRun?: boolean;
}

/** Issues by their code, each with what to do about it and its history. */
export function IssueGroups({ rows, ofRun = false }: Props) {
  const styles = useStyles();
  const [asked, setAsked] = useState<Row[]>();
  return (
    <div className={styles.groups}>
      {grouped(rows).map((group) => (
        <GroupCard key={group.code} group={group} ofRun={ofRun} onAcknowledge={setAsked} />
      ))}
      {asked && <AcknowledgeIssues rows={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

interface CardProps {
  group: Group;
  ofRun: boolean;
  onAcknowledge: (rows: Row[]) => void;
}

function GroupCard({ group, ofRun, onAcknowledge }: CardProps) {
  const styles = useStyles();
  const t = useTexts("issues");
  const runs = useMay("run-backups");
  const looksAfter = useMay("manage-repositories");
  const may = (row: Row) => (row.repository ? looksAfter : runs);
  const [all, setAll] = useState(false);
  const open = group.rows.filter(isOpen);
  const mine = open.filter(may);
  const some = mine.slice(0, AT_ONCE);
  const acknowledge = t(mine.length > AT_ONCE ? "acknowledge.first" : "acknowledge.all", { count: some.length });
  const shown = all ? group.rows : group.rows.slice(0, FEW);
  const hidden = group.rows.length - shown.length;
  return (
    <Card>
      <div className={styles.head}>
        <Subtitle2 as={ofRun ? "h3" : "h2"} className={styles.title}>
          {group.title}
        </Subtitle2>
        {!group.rows.some(({ untold }) => untold) && (
          <StatusBadge tone={open.length > 0 ? "warning" : "neutral"}>
            {open.length > 0 ? t("openCount", { count: open.length }) : t("allAcknowledged")}
          </StatusBadge>
        )}
        {mine.length > 1 && (
          <Button size="small" aria-label={t("acknowledge.of", { action: acknowledge, title: group.title })} onClick={() => onAcknowledge(some)}>
            {acknowledge}
          </Button>
        )}
      </div>
      {group.hint && (
        <Body1 className={styles.hint}>
          <Words text={group.hint} />
        </Body1>
      )}
      <ul className={styles.list}>
        {shown.map((row) => (
          <IssueRow key={key(row)} row={row} ofRun={ofRun} {...(may(row) && isOpen(row) && { onAcknowledge: () => onAcknowledge([row]) })} />
        ))}
      </ul>
      {hidden > 0 && (
        <Button appearance="subtle" onClick={() => setAll(true)}>
          {t("more", { count: hidden })}
        </Button>
      )}
      <Caption1 className={styles.quiet}>{t("explain", { command: `keepward explain ${group.code}` })}</Caption1>
    </Card>
  );
}

function IssueRow({ row, ofRun, onAcknowledge }: { row: Row; ofRun: boolean; onAcknowledge?: () => void }) {
  const styles = useStyles();
  const t = useTexts("issues");
  const title = useKindTitle();
  const item = row.item && row.item_name && NUMBERED.has(row.kind) ? `${row.item} ${row.item_name}` : (row.item_name ?? row.item);
  const where = [row.connector || row.repository, row.kind && title(row.kind), row.scope_name ?? (row.scope || t("whole")), item].filter(Boolean).join(" · ");
  return (
    <li className={styles.row}>
      <div className={styles.words}>
        <Body1>{row.message}</Body1>
        <Caption1 className={styles.quiet}>{where}</Caption1>
        <Caption1 className={styles.quiet}>
          <History row={row} ofRun={ofRun} />
        </Caption1>
      </div>
      {onAcknowledge && (
        <Button size="small" aria-label={t("acknowledge.actionFor", { message: row.message })} onClick={onAcknowledge}>
          {t("acknowledge.action")}
        </Button>
      )}
    </li>
  );
}

function History({ row, ofRun }: { row: Row; ofRun: boolean }) {
  const t = useTexts("issues");
  const ago = useAgo();
  const { acknowledged, runs, first, last, untold } = row;
  const isNew = ofRun && !untold && (runs === undefined || runs <= 1);
  return (
    <>
      {isNew && t("new")}
      {!isNew && runs !== undefined && first && last && t("history", { count: runs, first: ago(first), last: ago(last) })}
      {acknowledged && (
        <>
          {" · "}
          {t("acknowledgedBy", { by: acknowledged.by, at: ago(acknowledged.at) })}
          {acknowledged.until && ` ${t("acknowledgedUntil", { until: when(acknowledged.until) })}`}
          {acknowledged.note && `: ${acknowledged.note}`}
        </>
      )}
    </>
  );
}
