import { Badge, Body1, makeStyles, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { client } from "../../api/client";
import { bytes, count, duration, percent } from "../../components/format";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { before, compared, type Comparison, isFull, type Measure } from "./compare";
import type { Run } from "./standing";
import "./texts";

const useStyles = makeStyles({
  frame: { overflowX: "auto" },
  table: { maxWidth: "760px" },
  number: { fontVariantNumeric: "tabular-nums" },
  striking: { marginLeft: tokens.spacingHorizontalS },
});

const PAGE = 200;
/** Runs are found by going back in time; further back than this is history. */
const PAGES = 5;

/** The run before, however many others lie between. */
async function findBefore(run: Run, signal: AbortSignal): Promise<Run | null> {
  let after: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const query = { connector: run.connector, kind: run.kind, limit: PAGE, ...(after !== undefined && { after }) };
    // One page leads to the next.
    // oxlint-disable-next-line no-await-in-loop
    const { data } = await client.GET("/runs", { params: { query }, signal });
    const found = before(run, data?.items ?? []);
    if (found) return found;
    if (data?.next == null) return null;
    after = data.next;
  }
  return null;
}

async function issues(run: string, signal: AbortSignal): Promise<number> {
  const { data } = await client.GET("/runs/{id}/issues", { params: { path: { id: run }, query: { limit: PAGE } }, signal });
  return data?.items.length ?? 0;
}

/** This run beside the last good one of its kind. */
export function Compare({ run }: { run: Run }) {
  const t = useTexts("runs");
  const found = useQuery({
    // It has ended: no event changes it any more.
    queryKey: ["before", run.id],
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const then = await findBefore(run, signal);
      return then && { then, issues: { now: await issues(run.id, signal), then: await issues(then.id, signal) } };
    },
  });
  return (
    <Section title={t(isFull(run) ? "compare.titleFull" : "compare.title")}>
      <Loaded query={found}>
        {(data) => (data ? <Rows then={data.then} full={isFull(data.then) && !isFull(run)} rows={compared(run, data.then, data.issues)} /> : <Body1>{t(isFull(run) ? "compare.noneFull" : "compare.none")}</Body1>)}
      </Loaded>
    </Section>
  );
}

function useValue() {
  const t = useTexts("runs");
  return (measure: Measure, value: number): string => {
    if (measure === "received" || measure === "stored") return bytes(value);
    if (measure === "seconds") return duration(value);
    if (measure === "issues" && value >= PAGE) return t("compare.orMore", { count: value });
    return count(value);
  };
}

function grown({ now, then, growth }: Comparison, same: string): string {
  if (now === then) return same;
  if (growth === null) return "+";
  return `${growth > 0 ? "+" : ""}${percent(growth)}`;
}

function Rows({ then, full, rows }: { then: Run; full: boolean; rows: Comparison[] }) {
  const styles = useStyles();
  const t = useTexts("runs");
  const value = useValue();
  return (
    <>
      <Body1>
        <TextLink to="/runs/$id" params={{ id: then.id }}>
          {t("compare.then")}
        </TextLink>
        {" · "}
        <Time at={then.created} />
        {full && ` · ${t("compare.wasFull")}`}
      </Body1>
      <div className={styles.frame} tabIndex={0} role="region" aria-label={t("compare.label")}>
        <Table className={styles.table} size="small" aria-label={t("compare.label")}>
          <TableHeader>
            <TableRow>
              {(["measure", "now", "then", "growth"] as const).map((column) => (
                <TableHeaderCell key={column}>{t(`compare.${column}`)}</TableHeaderCell>
              ))}
            </TableRow>
          </TableHeader>
          <TableBody className={styles.number}>
            {rows.map((row) => (
              <TableRow key={row.measure}>
                <TableCell>{t(`compare.${row.measure}`)}</TableCell>
                <TableCell>{value(row.measure, row.now)}</TableCell>
                <TableCell>{value(row.measure, row.then)}</TableCell>
                <TableCell>
                  {grown(row, t("compare.same"))}
                  {row.striking && (
                    <Badge className={styles.striking} appearance="tint" color="warning">
                      {t("compare.striking")}
                    </Badge>
                  )}
                </TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </div>
    </>
  );
}
