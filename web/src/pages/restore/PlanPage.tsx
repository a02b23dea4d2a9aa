import { Body1, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Tab, TabList, tokens } from "@fluentui/react-components";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { when } from "../../components/format";
import { Page } from "../../components/Page";
import { Failed, Loading } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { Live } from "../runs/Live";
import { CountsTable } from "./CountsTable";
import { Identities, type Typed } from "./Identities";
import { Losses } from "./Losses";
import { type PlanDetail, toneOf, totals, writes } from "./plan";
import { PlanActions } from "./PlanActions";
import { Steps } from "./Steps";
import { useLosses } from "./useLosses";
import "./texts";

const TABS = ["counts", "steps", "people"] as const;

const useStyles = makeStyles({
  tabs: { flexWrap: "wrap", marginLeft: `calc(-1 * ${tokens.spacingHorizontalM})` },
  view: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalL, minWidth: 0 },
});

// Events tell when a run ends; what is at work is looked at now and then too, in case one was missed.
const WATCH = 5_000;

/** One restore plan, from its making to its report. */
export function PlanPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const t = useTexts("restore");
  const plan = api.useQuery("get", "/restore-plans/{id}", { params: { path: { id } } }, {
    refetchInterval: ({ state: { data } }) => (data?.state === "planning" || data?.state === "applying" ? WATCH : false),
  });
  if (plan.data) return <Shown key={id} plan={plan.data} />;
  return (
    <Page title={t("plan")} trail={<TextLink to="/restore">{t("title")}</TextLink>}>
      {plan.error ? <Failed error={plan.error} retry={() => void plan.refetch()} /> : <Loading />}
    </Page>
  );
}

function Shown({ plan }: { plan: PlanDetail }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const [shown, show] = useShown();
  const [typed, setTyped] = useState<Typed>({});
  const asComparison = shown["as"] === "comparison";
  const mayRead = useMay("read-content");
  const losses = useLosses(plan);
  const { state, target } = plan;
  const busy = state === "planning" || state === "applying";
  const done = Boolean(plan.apply_run);
  const tab = TABS.find((one) => one === shown["tab"]) ?? (done ? "steps" : "counts");
  const title = plan.undoes ? "detail.undoTitle" : asComparison ? "detail.compareTitle" : "detail.title";
  return (
    <Page
      title={t(title, { target: target.connector })}
      trail={<TextLink to="/restore">{t("title")}</TextLink>}
      about={
        <>
          <Header plan={plan} />{" "}
          {asComparison && t("detail.compareAbout")}
        </>
      }
      actions={<PlanActions plan={plan} unsaved={Object.keys(typed).length > 0} />}
    >
      <div aria-live="polite">
        <StatusBadge tone={toneOf(state)}>{t(`states.${state}`)}</StatusBadge>
      </div>
      <Outcome plan={plan} />
      {busy && plan.run && <Working key={plan.run} run={plan.run} />}
      {plan.planned_at && (
        <>
          <TabList className={styles.tabs} selectedValue={tab} onTabSelect={(_, { value }) => show({ tab: String(value), kind: undefined, action: undefined, result: undefined })}>
            <Tab value="counts">{t("detail.counts")}</Tab>
            {mayRead && <Tab value="steps">{t(done ? "detail.report" : "detail.steps")}</Tab>}
            {mayRead && <Tab value="people">{t("detail.identities")}</Tab>}
          </TabList>
          <div className={styles.view}>
            {tab === "counts" && (
              <>
                <Sum plan={plan} />
                <CountsTable plan={plan} compared={asComparison} />
                <Losses plan={plan} losses={losses} />
              </>
            )}
            {tab === "steps" && mayRead && (
              <>
                {losses.length > 0 && <Losses plan={plan} losses={losses} />}
                <Steps plan={plan} losses={losses} compared={asComparison} />
              </>
            )}
            {tab === "people" && mayRead && <Identities plan={plan} typed={typed} onTyped={setTyped} />}
          </div>
        </>
      )}
    </Page>
  );
}

/** From where to where, and by which rule. */
function Header({ plan }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  const { source, taken_at: taken, undoes, target, counts, conflict } = plan;
  const place = target.organization ?? target.connector;
  if (undoes) {
    const back = taken && totals(counts).replace > 0;
    return `${t("detail.undoHeader", { target: place })} ${back ? t("detail.undoFrom", { time: when(taken) }) : ""}`;
  }
  if (!source || !taken) return t("forgotten");
  return t("detail.header", { source, time: when(taken), target: place, conflict: t(`detail.conflicts.${conflict}`) });
}

/** How many items it is about. */
function Sum({ plan: { counts, undoes } }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  const count = writes(counts);
  if (count === 0) return <Body1>{t(undoes ? "detail.nothingToTakeBack" : "detail.nothing")}</Body1>;
  return <Body1>{t(undoes ? "detail.takesBack" : "detail.writes", { count })}</Body1>;
}

/** What is at work on it, from how far it was when the page was opened. */
function Working({ run }: { run: string }) {
  const { data } = api.useQuery("get", "/runs/{id}", { params: { path: { id: run } } });
  return <Live run={run} far={data?.progress} />;
}

/** How it ended, in a sentence. */
function Outcome({ plan }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  return (
    <>
      <End plan={plan} />
      {plan.undoes && (
        <TextLink to="/restore/$id" params={{ id: plan.undoes }}>
          {t("detail.undone")}
        </TextLink>
      )}
    </>
  );
}

function End({ plan: { id, state, error, run, undoes } }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  const mayRead = useMay("read-content");
  const told = api.useQuery("get", "/runs/{id}", { params: { path: { id: run ?? "" } } }, { enabled: Boolean(run) && state === "failed" });
  const toRun = run && (
    <TextLink to="/runs/$id" params={{ id: run }} inline>
      {t("detail.run")}
    </TextLink>
  );
  if (state === "failed") {
    return (
      <MessageBar intent="error" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>{t("detail.failed")}</MessageBarTitle>
          {error ?? told.data?.error} {toRun}
        </MessageBarBody>
      </MessageBar>
    );
  }
  if (state === "applied" || state === "applied_with_issues") {
    return (
      <MessageBar intent={state === "applied" ? "success" : "warning"} layout="multiline">
        <MessageBarBody>
          {t(state === "applied_with_issues" ? "detail.doneIssues" : undoes ? "detail.undoneAll" : "detail.doneAll")}{" "}
          {state === "applied_with_issues" &&
            mayRead &&
            (["failed", "differs"] as const).map((result) => (
              <span key={result}>
                <TextLink to="/restore/$id" params={{ id }} search={{ tab: "steps", result }} inline>
                  {t(`detail.see.${result}`)}
                </TextLink>{" "}
              </span>
            ))}
          {toRun}
        </MessageBarBody>
      </MessageBar>
    );
  }
  return null;
}
