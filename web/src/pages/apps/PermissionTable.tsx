import { makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, tokens } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { useTexts } from "../../texts";
import "./texts";

const useStyles = makeStyles({
  frame: { overflowX: "auto", "@media print": { overflow: "visible" } },
  table: { minWidth: "960px", "@media print": { minWidth: 0, fontSize: "9pt" } },
  cell: { overflowWrap: "anywhere", verticalAlign: "top", padding: tokens.spacingVerticalXS },
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

// The reasons are what takes room.
const COLUMNS = [
  ["api", "12%"],
  ["permission", "19%"],
  ["type", "10%"],
  ["purpose", "10%"],
  ["why", "30%"],
  ["data", "19%"],
] as const;

type Permission = Schemas["PermissionView"];

/** AV-10: what an app or a token must be allowed, why, and which data it serves. */
export function PermissionTable({ permissions }: { permissions: readonly Permission[] }) {
  const styles = useStyles();
  const t = useTexts("apps");
  return (
    <div className={styles.frame} role="region" aria-label={t("permissions.table")} tabIndex={0}>
      <Table className={styles.table} size="small" aria-label={t("permissions.table")}>
        <TableHeader>
          <TableRow>
            {COLUMNS.map(([key, width]) => (
              <TableHeaderCell key={key} className={styles.cell} style={{ width }}>
                {t(`permissions.${key}`)}
              </TableHeaderCell>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {permissions.map((one) => (
            <TableRow key={`${one.api} ${one.permission} ${one.type} ${one.purpose}`}>
              <TableCell className={styles.cell}>{one.api}</TableCell>
              <TableCell className={styles.cell}>
                <span className={styles.code}>{one.permission}</span>
              </TableCell>
              <TableCell className={styles.cell}>{t(`type.${one.type}`, { defaultValue: one.type })}</TableCell>
              <TableCell className={styles.cell}>{t(`purpose.${one.purpose}`, { defaultValue: one.purpose })}</TableCell>
              <TableCell className={styles.cell}>{one.why}</TableCell>
              <TableCell className={styles.cell}>{one.serves.length > 0 ? one.serves.join(", ") : t("permissions.allData")}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
