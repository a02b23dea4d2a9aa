import { makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTexts } from "../../texts";
import "./texts";

const useStyles = makeStyles({
  cell: { overflowWrap: "anywhere" },
  reference: { overflowWrap: "anywhere", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

interface Row {
  key: string;
  name: string;
  /** What the service itself calls it, where that says more. */
  reference?: string;
  value: ReactNode;
}

/** Fields of a document with their values, in the order in which they are given. */
export function FieldTable({ label, rows }: { label: string; rows: Row[] }) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <Table size="small" aria-label={label}>
      <TableHeader>
        <TableRow>
          <TableHeaderCell>{t("form.field")}</TableHeaderCell>
          <TableHeaderCell>{t("form.value")}</TableHeaderCell>
        </TableRow>
      </TableHeader>
      <TableBody>
        {rows.map(({ key, name, reference, value }) => (
          <TableRow key={key}>
            <TableCell className={styles.cell}>
              {name}
              {reference !== undefined && <div className={styles.reference}>{reference}</div>}
            </TableCell>
            <TableCell className={styles.cell}>{value}</TableCell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}
