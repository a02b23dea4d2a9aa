import {
  Body1,
  Button,
  Caption1,
  makeStyles,
  Spinner,
  Table,
  TableBody,
  TableCell,
  TableHeader,
  TableHeaderCell,
  TableRow,
  tokens,
} from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { Facts } from "../../components/Facts";
import { bytes, day, decimal } from "../../components/format";
import { useAgo } from "../../components/now";
import { Section } from "../../components/Section";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { deduplication, type Overview } from "./standing";
import "./texts";

const Growth = lazy(async () => ({ default: (await import("./Growth")).Growth }));

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0 },
  row: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, padding: `${tokens.spacingVerticalXS} 0` },
  quiet: { color: tokens.colorNeutralForeground3 },
  table: { maxHeight: "280px", overflowY: "auto" },
  head: { display: "flex", flexWrap: "wrap", justifyContent: "space-between", alignItems: "center" },
});

/** How much is stored, how it grew, and how much deduplication saved. */
export function Storage({ storage }: { storage: Overview["storage"] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  const factor = deduplication(storage);
  const total = storage.repositories.reduce((sum, one) => sum + one.bytes, 0);
  const added = storage.growth.reduce((sum, one) => sum + one.added_bytes, 0);
  const [asTable, setAsTable] = useState(false);
  const ago = useAgo();
  return (
    <Section title={t("storage.title")}>
      <Facts
        facts={[
          [t("storage.stored"), bytes(total || storage.stored_bytes)],
          // Of a repository that another server filled nobody knows it.
          [t("storage.received"), (storage.raw_bytes > 0 || total === 0) && bytes(storage.raw_bytes)],
          [
            t("storage.saved"),
            factor !== null && t("storage.savedWords", { factor: decimal(factor) }),
          ],
          [t("storage.growth"), bytes(added)],
        ]}
      />
      {added === 0 ? (
        <Body1 className={styles.quiet}>{t(total > 0 ? "storage.nothingAdded" : "storage.nothing")}</Body1>
      ) : (
        <>
          <div className={styles.head}>
            <Caption1 className={styles.quiet}>{t("storage.chart")}</Caption1>
            <Button size="small" appearance="subtle" onClick={() => setAsTable(!asTable)}>
              {asTable ? t("storage.asChart") : t("storage.asTable")}
            </Button>
          </div>
          {asTable ? (
            <GrowthTable growth={storage.growth} />
          ) : (
            <Suspense fallback={<Spinner label={t("state.loading")} />}>
              <Growth growth={storage.growth} />
            </Suspense>
          )}
        </>
      )}
      <ul className={styles.list} aria-label={t("storage.repositories")}>
        {storage.repositories.map((one) => (
          <li key={one.name} className={styles.row}>
            <TextLink to="/repositories/$name" params={{ name: one.name }}>
              {one.name}
            </TextLink>
            <span>{bytes(one.bytes)}</span>
            <span className={styles.quiet}>{one.checked ? t("storage.checked", { ago: ago(one.checked) }) : t("storage.unchecked")}</span>
            {one.damaged && <StatusBadge tone="bad">{t("storage.damaged")}</StatusBadge>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function GrowthTable({ growth }: { growth: Overview["storage"]["growth"] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  return (
    <div className={styles.table} tabIndex={0} role="region" aria-label={t("storage.chart")}>
      <Table size="extra-small" aria-label={t("storage.chart")}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("storage.day")}</TableHeaderCell>
            <TableHeaderCell>{t("storage.added")}</TableHeaderCell>
          </TableRow>
        </TableHeader>
        <TableBody>
          {growth.toReversed().map((one) => (
            <TableRow key={one.day}>
              <TableCell>{day(new Date(one.day))}</TableCell>
              <TableCell>{bytes(one.added_bytes)}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
