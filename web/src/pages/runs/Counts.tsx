import { Body1, makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from "@fluentui/react-components";
import { count } from "../../components/format";
import { useKinds, useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import type { Run } from "./standing";
import "./texts";

const useStyles = makeStyles({
  frame: { overflowX: "auto" },
  table: { maxWidth: "760px", minWidth: "440px", fontVariantNumeric: "tabular-nums" },
  kind: { width: "32%" },
});

/** What a backup found of each kind of data, and what changed. */
export function Counts({ run }: { run: Run }) {
  const styles = useStyles();
  const t = useTexts("runs");
  const title = useKindTitle();
  const known = useKinds().map(({ id }) => id);
  const place = (kind: string) => (known.includes(kind) ? known.indexOf(kind) : known.length);
  const kinds = Object.entries(run.counts.kinds).toSorted(([one], [other]) => place(one) - place(other) || one.localeCompare(other));
  return (
    <Section title={t("counts.title")}>
      {kinds.length === 0 ? (
        <Body1>{t("counts.none")}</Body1>
      ) : (
        <div className={styles.frame} tabIndex={0} role="region" aria-label={t("counts.label")}>
          <Table className={styles.table} size="small" aria-label={t("counts.label")}>
            <TableHeader>
              <TableRow>
                {(["kind", "items", "added", "changed", "removed"] as const).map((column) => (
                  <TableHeaderCell key={column} className={column === "kind" ? styles.kind : undefined}>
                    {t(`counts.${column}`)}
                  </TableHeaderCell>
                ))}
              </TableRow>
            </TableHeader>
            <TableBody>
              {kinds.map(([kind, counts]) => (
                <TableRow key={kind}>
                  <TableCell>{title(kind)}</TableCell>
                  {[counts.items, counts.added, counts.changed, counts.removed].map((value, column) => (
                    // The columns are always the same four.
                    // oxlint-disable-next-line react/no-array-index-key
                    <TableCell key={column}>{count(value)}</TableCell>
                  ))}
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </div>
      )}
    </Section>
  );
}
