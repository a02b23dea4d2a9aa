import { Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from "@fluentui/react-components";
import { count } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Empty } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { ACTIONS, type PlanDetail, totals } from "./plan";

/** How many items of each kind a plan does what with; each number leads to its steps, for those who may read them. */
export function CountsTable({ plan, compared }: { plan: PlanDetail; compared: boolean }) {
  const t = useTexts("restore");
  const title = useKindTitle();
  const [shown] = useShown();
  const mayRead = useMay("read-content");
  if (plan.counts.length === 0) return <Empty title={t("detail.emptyPlan")}>{t("detail.emptyPlanHint")}</Empty>;
  const sum = totals(plan.counts);
  const used = ACTIONS.filter((action) => sum[action] > 0);
  return (
    <div style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label={t("detail.counts")}>
      <Table size="small" aria-label={t("detail.counts")} style={{ minWidth: `${160 + used.length * 110}px` }}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("detail.kind")}</TableHeaderCell>
            {used.map((action) => (
              <TableHeaderCell key={action}>{t(`${compared ? "compared" : "action"}.${action}`)}</TableHeaderCell>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {plan.counts.map((counts) => (
            <TableRow key={counts.kind}>
              <TableCell>{title(counts.kind)}</TableCell>
              {used.map((action) => (
                <TableCell key={action}>
                  {counts[action] === 0 ? (
                    "–"
                  ) : mayRead ? (
                    <TextLink to="/restore/$id" params={{ id: plan.id }} search={{ ...(shown["as"] && { as: shown["as"] }), tab: "steps", kind: counts.kind, action }}>
                      {count(counts[action])}
                    </TextLink>
                  ) : (
                    count(counts[action])
                  )}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
