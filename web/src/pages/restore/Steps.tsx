import { Button, Caption1, makeStyles, tokens } from "@fluentui/react-components";
import type { Column } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { useKindTitle } from "../../components/kinds";
import { Listing } from "../../components/Listing";
import { OutLink } from "../../components/Outside";
import { usePaged } from "../../components/paged";
import { Empty } from "../../components/State";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { ACTIONS, type PlanDetail, type Step } from "./plan";

const useStyles = makeStyles({
  remarks: { margin: 0, paddingLeft: tokens.spacingHorizontalM },
});

const TONES: Record<string, Tone> = { waiting: "waiting", done: "good", failed: "bad", skipped: "neutral" };

/** What somebody looks for in a report. */
const RESULTS = ["failed", "differs", "skipped"] as const;

/** What a plan does with each item; after it was applied, what came of it. */
export function Steps({ plan, compared }: { plan: PlanDetail; compared: boolean }) {
  const t = useTexts("restore");
  const title = useKindTitle();
  const [shown, show] = useShown();
  const { kind, action, result } = shown;
  const filtered = Boolean(kind || action || result);
  const query = { limit: 100, ...(kind && { kind }), ...(action && { action }), ...(result && { state: result }) };
  const steps = usePaged("/restore-plans/{id}/steps", { path: { id: plan.id }, query }, { more: 1_000 });
  const done = Boolean(plan.apply_run);
  return (
    <>
      <Filters>
        <FilterSelect
          label={t("detail.kind")}
          value={kind}
          options={plan.counts.map((counts) => ({ value: counts.kind, title: title(counts.kind) }))}
          onChange={(value) => show({ kind: value })}
        />
        <FilterSelect
          label={t("detail.action")}
          value={action}
          options={ACTIONS.map((value) => ({ value, title: t(`${compared ? "compared" : "action"}.${value}`) }))}
          onChange={(value) => show({ action: value })}
        />
        {done && (
          <FilterSelect
            label={t("detail.result")}
            value={result}
            options={RESULTS.map((value) => ({ value, title: t(`detail.resultOf.${value}`) }))}
            onChange={(value) => show({ result: value })}
          />
        )}
      </Filters>
      <Listing
        list={steps}
        label={t(done ? "detail.report" : "detail.steps")}
        empty={
          <Empty
            title={t(filtered ? "detail.noSteps" : "detail.emptyPlan")}
            action={filtered && <Button onClick={() => show({ kind: undefined, action: undefined, result: undefined })}>{t("all")}</Button>}
          >
            {t(filtered ? "detail.noStepsHint" : "detail.emptyPlanHint")}
          </Empty>
        }
        columns={columns(t, title, plan, compared)}
        id={(step) => `${step.kind}/${step.project ?? ""}/${step.item}`}
      />
    </>
  );
}

function columns(t: ReturnType<typeof useTexts>, title: (kind: string) => string, plan: PlanDetail, compared: boolean): Column<Step>[] {
  return [
    { key: "action", title: t("detail.action"), width: 130, cell: ({ action }) => t(`${compared ? "compared" : "action"}.${action}`) },
    {
      key: "item",
      title: t("detail.item"),
      grow: 3,
      cell: ({ kind, item, name, project, action }) => (
        <>
          {action === "remove" ? (
            <span dir="auto">{name || item}</span>
          ) : (
            <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: plan.snapshot, kind, item }}>
              <span dir="auto">{/^\d+$/.test(item) ? `${item} · ${name}` : name || item}</span>
            </TextLink>
          )}
          <Caption1 block>
            {title(kind)}
            {project && ` · ${project}`}
          </Caption1>
        </>
      ),
    },
    ...(plan.apply_run
      ? [
          { key: "state", title: t("detail.result"), width: 130, cell: ({ state }: Step) => <StatusBadge tone={TONES[state] ?? "neutral"}>{t(`detail.stepState.${state}`)}</StatusBadge> },
          { key: "new", title: t("detail.open"), grow: 2, cell: (step: Step) => <Restored step={step} /> },
        ]
      : []),
    { key: "remarks", title: t("detail.remarks"), grow: 4, cell: (step) => <Remarks step={step} /> },
  ];
}

/** The old id and the new one, and the way to the restored thing. */
function Restored({ step: { item, new_id: id, url } }: { step: Step }) {
  const t = useTexts("restore");
  if (!id) return null;
  const words = id === item ? id : t("detail.newId", { from: item, to: id });
  return url ? <OutLink to={url}>{words}</OutLink> : <>{words}</>;
}

function Remarks({ step: { reason, losses, differences } }: { step: Step }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const remarks = [
    ...(reason ? [reason] : []),
    ...(differences.length > 0 ? [t("differences", { list: differences.join("; ") })] : []),
    ...losses.map((loss) => t("lost", { list: loss })),
  ];
  if (remarks.length === 0) return null;
  if (remarks.length === 1) return <>{remarks[0]}</>;
  return (
    <ul className={styles.remarks}>
      {remarks.map((remark) => (
        <li key={remark}>{remark}</li>
      ))}
    </ul>
  );
}
