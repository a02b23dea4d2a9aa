import { Body1, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { api } from "../../api/client";
import { useAll } from "../../components/all";
import { Facts } from "../../components/Facts";
import { bytes, count, duration } from "../../components/format";
import { Page } from "../../components/Page";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { withHistory } from "../issues/group";
import { IssueGroups } from "../issues/IssueGroups";
import { MoreIssues } from "../issues/MoreIssues";
import { Mend } from "../repositories/Mend";
import { Compare } from "./Compare";
import { Counts } from "./Counts";
import { Live } from "./Live";
import { forgotten, plain, told } from "./result";
import { RunActions } from "./RunActions";
import { RunState } from "./RunState";
import { ended, isOpen, type Run as TheRun, seconds } from "./standing";
import { useRunWords } from "./words";
import "./texts";

const useStyles = makeStyles({
  parts: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXXL },
});

/** One run: how it stands and why, what it does, what it found, and what was different from the one before. */
export function Run() {
  const { id } = useParams({ strict: false });
  const t = useTexts("runs");
  const query = api.useQuery("get", "/runs/{id}", { params: { path: { id: id ?? "" } } });
  const trail = <TextLink to="/runs">{t("title")}</TextLink>;
  if (!query.data) {
    return (
      <Page title={t("detail.facts")} trail={trail}>
        <Loaded query={query}>{() => null}</Loaded>
      </Page>
    );
  }
  return <Loaded query={query}>{(run) => <Shown key={run.id} run={run} />}</Loaded>;
}

function Shown({ run }: { run: TheRun }) {
  const styles = useStyles();
  const t = useTexts("runs");
  const words = useRunWords();
  const open = isOpen(run);
  const changed = Object.keys(run.counts.kinds).length > 0;
  useFinished(run);
  return (
    <Page
      title={words.title(run)}
      trail={<TextLink to="/runs">{t("title")}</TextLink>}
      about={<Time at={run.created} />}
      actions={<RunActions run={run} />}
    >
      <div className={styles.parts}>
        <div role="status">
          <RunState run={run} />
        </div>
        {run.state === "failed" && <Failure run={run} />}
        {run.state === "running" && <Live run={run.id} far={run.progress} />}
        <About run={run} />
        <Result run={run} />
        <RunIssues run={run} />
        {changed && <Counts run={run} />}
        {!open && run.state !== "canceled" && run.kind === "backup" && <Compare run={run} />}
      </div>
    </Page>
  );
}

/** Issues are listed when the run ends; nothing else says so. */
function useFinished(run: TheRun) {
  const queries = useQueryClient();
  const finished = run.finished ?? null;
  useEffect(() => {
    if (finished !== null) void queries.invalidateQueries({ queryKey: ["get", "/runs/{id}/issues"] });
  }, [queries, finished]);
}

function Failure({ run }: { run: TheRun }) {
  const t = useTexts("runs");
  const damaged = ended(run) === "damaged";
  return (
    <MessageBar intent="error" layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{t(damaged ? "detail.damage" : "detail.error")}</MessageBarTitle>
        {run.error} {run.kind === "backup" && !run.snapshot && t("detail.noSnapshot")}
        {damaged && (run.kind === "verify" ? t("detail.damagedSnapshot") : <Mend name={run.repository} />)}
      </MessageBarBody>
    </MessageBar>
  );
}

function About({ run }: { run: TheRun }) {
  const t = useTexts("runs");
  const words = useRunWords();
  const link = (to: string, params: Record<string, string>, text: string) => (
    <TextLink to={to} params={params}>
      {text}
    </TextLink>
  );
  const { requests, bytes_received: received, bytes_stored: stored } = run.counts;
  return (
    <Section title={t("detail.facts")}>
      <Facts
        facts={[
          [t("detail.reason"), words.reason(run)],
          [t("detail.policy"), run.policy && link("/policies/$name", { name: run.policy }, run.policy)],
          [t("detail.connector"), run.connector && link("/connectors/$name", { name: run.connector }, run.connector)],
          [t("detail.repository"), run.repository && link("/repositories/$name", { name: run.repository }, run.repository)],
          [t("detail.snapshot"), run.snapshot && link("/snapshots/$id", { id: run.snapshot }, run.snapshot.slice(0, 8))],
          [t("detail.retryOf"), run.retry_of && link("/runs/$id", { id: run.retry_of }, t("detail.retryOfLink"))],
          [t("detail.resumed"), run.resumed_from && link("/runs/$id", { id: run.resumed_from }, t("detail.resumedLink"))],
          [t("detail.plan"), run.plan && link("/restore/$id", { id: run.plan }, t("detail.planLink"))],
          [t("detail.started"), <Time key="started" at={run.created} />],
          [t("detail.ended"), run.finished && <Time at={run.finished} />],
          [t("detail.took"), run.finished && duration(seconds(run, 0))],
          [t("detail.requests"), requests > 0 && count(requests)],
          [t("detail.received"), received > 0 && bytes(received)],
          [t("detail.stored"), stored > 0 && bytes(stored)],
        ]}
      />
    </Section>
  );
}

function Result({ run }: { run: TheRun }) {
  const t = useTexts("runs");
  const gone = forgotten(run);
  const members = told(run.result, { yes: t("result.yes"), no: t("result.no") }).filter(({ key }) => key !== "forgotten");
  if (members.length + gone.length === 0) return null;
  const list = gone.map(({ id, time }) => (
    <div key={id}>
      {time !== undefined && <Time at={time} />} {id.slice(0, 8)}
    </div>
  ));
  return (
    <Section title={t("result.title")}>
      <Facts
        facts={[
          ...members.map(({ key, value }): [string, string] => [t(`result.${key}`, { defaultValue: plain(key) }), value]),
          [t("result.forgotten"), list.length > 0 && list],
        ]}
      />
    </Section>
  );
}

function RunIssues({ run }: { run: TheRun }) {
  const t = useTexts("runs");
  const issues = useAll("/runs/{id}/issues", { path: { id: run.id } });
  const known = useAll("/issues", { query: run.connector ? { connector: run.connector } : { repository: run.repository } });
  const none = isOpen(run) ? "issues.soFar" : [`issues.none.${run.kind === "backup" ? run.state : "other"}`, "issues.none.other"];
  return (
    <Section title={t("issues.title")}>
      <Loaded query={issues}>
        {({ items }) =>
          items.length === 0 ? (
            <Body1>{t(none)}</Body1>
          ) : (
            <>
              {/* Until it is known whether somebody acknowledged them, nothing is said of that. */}
              <Loaded query={{ ...known, data: known.items }}>{() => null}</Loaded>
              <IssueGroups ofRun rows={withHistory(run, items, known.items)} />
              <MoreIssues list={issues} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
