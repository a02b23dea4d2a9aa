import { makeStyles, tokens } from "@fluentui/react-components";
import { lazy, Suspense } from "react";
import { api } from "../../api/client";
import { Page } from "../../components/Page";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { Coverage } from "./Coverage";
import { NextRuns, Requests, RunsOfDay } from "./Day";
import { Needs } from "./Needs";
import { Sources } from "./Sources";
import { needs, type Overview as TheOverview } from "./standing";
import { Storage } from "./Storage";
import { Unprotected } from "./Unprotected";
import { Verdict } from "./Verdict";
import { Working } from "./Working";
import "./texts";

// Most of the time there is nothing to show of them.
const FirstSteps = lazy(async () => ({ default: (await import("./FirstSteps")).FirstSteps }));

const AGAIN = 60_000;

const useStyles = makeStyles({
  parts: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXXL },
  columns: {
    display: "grid",
    gap: `${tokens.spacingVerticalXXL} ${tokens.spacingHorizontalXXXL}`,
    gridTemplateColumns: "repeat(auto-fit, minmax(min(380px, 100%), 1fr))",
    alignItems: "start",
  },
  column: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXXL, minWidth: 0 },
});

/** Whether all is well, and what to do where it is not. */
export function Overview() {
  const t = useTexts("overview");
  // What is late gets late without an event.
  const query = api.useQuery("get", "/overview", {}, { refetchInterval: AGAIN });
  return (
    <Page title={t("title")}>
      <Loaded query={query}>{(overview) => <Shown overview={overview} />}</Loaded>
    </Page>
  );
}

function Shown({ overview }: { overview: TheOverview }) {
  const styles = useStyles();
  const { sources, storage, requests, next_runs: next, runs, unprotected } = overview;
  return (
    <div className={styles.parts}>
      <Verdict overview={overview} />
      {sources.length > 0 && <Needs needs={needs(overview)} />}
      <Suspense>
        <FirstSteps sources={sources} />
      </Suspense>
      {sources.length > 0 && (
        <>
          <Working />
          <Sources sources={sources} />
          <div className={styles.columns}>
            <div className={styles.column}>
              <Storage storage={storage} />
            </div>
            <div className={styles.column}>
              <Coverage sources={sources} />
              <RunsOfDay day={runs.last_day} />
              <NextRuns next={next} />
              <Requests requests={requests} />
              <Unprotected things={unprotected} />
            </div>
          </div>
        </>
      )}
    </div>
  );
}
