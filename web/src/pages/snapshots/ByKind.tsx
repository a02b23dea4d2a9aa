import { makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from "@fluentui/react-components";
import { count } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import type { Snapshot } from "./change";

const useStyles = makeStyles({ table: { maxWidth: "640px" } });

/** What a snapshot changed since the one before, by kind. Kinds where nothing changed are left out. */
export function ByKind({ snapshot }: { snapshot: Snapshot }) {
  const styles = useStyles();
  const t = useTexts("snapshots");
  const title = useKindTitle();
  const changed = Object.entries(snapshot.kinds).filter(([, kind]) => kind.added + kind.changed + kind.removed > 0);
  if (changed.length === 0) return null;
  return (
    <Section title={t("byKind")}>
      <Table size="extra-small" className={styles.table} aria-label={t("summary")}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("kind")}</TableHeaderCell>
            {(["added", "changed", "removed"] as const).map((change) => (
              <TableHeaderCell key={change}>{t(`changeOf.${change}`)}</TableHeaderCell>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {changed.map(([kind, counts]) => (
            <TableRow key={kind}>
              <TableCell>{title(kind)}</TableCell>
              {(["added", "changed", "removed"] as const).map((change) => (
                <TableCell key={change}>{count(counts[change])}</TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Section>
  );
}
