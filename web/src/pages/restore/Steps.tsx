import { Button, makeStyles, tokens } from "@fluentui/react-components";
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
import { Words } from "../../components/Words";
import { useTexts } from "../../texts";
import { type Loss, ownLosses } from "./losses";
import { ACTIONS, type PlanDetail, type Step } from "./plan";
import { StepName } from "./StepName";

const useStyles = makeStyles({
  remarks: { margin: 0, paddingLeft: tokens.spacingHorizontalM },
});

const TONES: Record<string, Tone> = { waiting: "waiting", done: "good", failed: "bad", skipped: "neutral" };

/** What somebody looks for in a report. */
const RESULTS = ["failed", "differs", "skipped"] as const;

interface Props {
  plan: PlanDetail;
  /** Those that are told above. */
  losses: Loss[];
  compared: boolean;
}

/** What a plan does with each item; after it was applied, what came of it. */
export function Steps({ plan, losses, compared }: Props) {
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
        columns={columns(t, { plan, losses, compared })}
        id={(step) => `${step.kind}/${step.project ?? ""}/${step.item}`}
      />
    </>
  );
}

function columns(t: ReturnType<typeof useTexts>, { plan, losses, compared }: Props): Column<Step>[] {
  return [
    { key: "action", title: t("detail.action"), width: 130, cell: ({ action }) => t(`${compared ? "compared" : "action"}.${action}`) },
    {
      key: "item",
      title: t("detail.item"),
      grow: 3,
      cell: (step) => <StepName step={step} plan={plan} />,
    },
    ...(plan.apply_run
      ? [
          { key: "state", title: t("detail.result"), width: 130, cell: ({ state }: Step) => <StatusBadge tone={TONES[state] ?? "neutral"}>{t(`detail.stepState.${state}`)}</StatusBadge> },
          { key: "new", title: t(plan.undoes ? "detail.there" : "detail.open"), grow: 2, cell: (step: Step) => <Restored step={step} /> },
        ]
      : []),
    { key: "remarks", title: t("detail.remarks"), grow: 4, cell: (step) => <Remarks step={step} told={losses} /> },
  ];
}

/** The old id and the new one, and the way to the restored thing. */
function Restored({ step: { item, new_id: id, url } }: { step: Step }) {
  const t = useTexts("restore");
  if (!id) return null;
  const words = id === item ? id : t("detail.newId", { from: item, to: id });
  return url ? <OutLink to={url}>{words}</OutLink> : <>{words}</>;
}

/** What is to be known of one step; what is lost of all items of a kind is told above them. */
function Remarks({ step, told }: { step: Step; told: Loss[] }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const { reason, differences } = step;
  const remarks: [title: string, all: string[]][] = [
    ["", reason ? [reason] : []],
    [t("differences"), differences],
    [t("lost"), ownLosses(step, told)],
  ];
  return (
    <>
      {remarks.map(
        ([title, all]) =>
          all.length > 0 && (
            <div key={title}>
              {title} {all.length === 1 && (title === "" ? <Words text={all[0] ?? ""} /> : all[0])}
              {all.length > 1 && (
                <ul className={styles.remarks}>
                  {all.map((remark) => (
                    <li key={remark}>{remark}</li>
                  ))}
                </ul>
              )}
            </div>
          ),
      )}
    </>
  );
}
