import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
} from "@fluentui/react-components";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { when } from "../../components/format";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { draftOf } from "./draft";
import { Editor } from "./Editor";
import { useInSight, useMayEdit } from "./editing";
import { PolicyFacts } from "./PolicyFacts";
import { RemovePolicy } from "./RemovePolicy";
import { RunNow } from "./RunNow";
import { Waits, type TheWait, waitOf } from "./Waits";
import "./texts";

type View = Schemas["PolicyView"];

/** One policy: to change for those who may, to read for all. */
export function Policy() {
  const { name = "" } = useParams({ strict: false });
  const query = api.useQuery("get", "/policies/{name}", { params: { path: { name } } });
  const again = async () => (await query.refetch()).data;
  if (query.data) return <Shown key={name} view={query.data} again={again} />;
  return (
    <Page title={name} trail={<Trail />}>
      <Loaded query={query}>{() => null}</Loaded>
    </Page>
  );
}

function Trail() {
  const t = useTexts("policies");
  return <TextLink to="/policies">{t("editor.trail")}</TextLink>;
}

interface Props {
  view: View;
  /** Reads it again: what somebody else changed may not be known here yet. */
  again: () => Promise<View | undefined>;
}

function Shown({ view, again }: Props) {
  const t = useTexts("policies");
  const [wait, setWait] = useState<TheWait>();
  const mayRun = useMay("run-backups");
  const mayEdit = useMayEdit();
  const { name } = view.policy;
  return (
    <Page
      title={name}
      trail={<Trail />}
      actions={
        <>
          {mayRun && <RunNow policy={view.policy} />}
          {mayEdit && <RemovePolicy name={name} onWait={setWait} />}
        </>
      }
    >
      {wait && <Waits wait={wait} />}
      {view.removes_nothing && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{t("removesNothingAbout")}</MessageBarBody>
        </MessageBar>
      )}
      {mayEdit ? (
        <Edit view={view} again={again} onWait={setWait} />
      ) : (
        <>
          <PolicyFacts view={view} />
          <MessageBar intent="info" layout="multiline">
            <MessageBarBody>{t("editor.readOnly")}</MessageBarBody>
          </MessageBar>
        </>
      )}
    </Page>
  );
}

function Edit({ view, again, onWait }: Props & { onWait: (wait: TheWait | undefined) => void }) {
  const navigate = useNavigate();
  const [{ saved }, show] = useShown();
  // What the form began with: a change by somebody else must not take away what was typed.
  const [base, setBase] = useState(view);
  const [round, setRound] = useState(0);
  const [done, setDone] = useState<{ name: string }>();
  const begin = (from: View) => {
    setBase(from);
    setRound(round + 1);
  };
  const edit = api.useMutation("put", "/policies/{name}", {
    onSuccess: (answer) => {
      const wait = waitOf(answer);
      onWait(wait);
      begin(wait ? base : (answer as View));
      if (!wait) setDone({ name: (answer as View).policy.name });
    },
  });
  useEffect(() => {
    // After the form has heard that nothing is lost any more; the policy may have another name now.
    if (done) void navigate({ to: "/policies/$name", params: done, search: { saved: "yes" }, replace: true });
  }, [done, navigate]);
  const reload = async () => {
    const now = await again();
    if (!now) return;
    edit.reset();
    begin(now);
  };
  const lost = edit.error ? Problem.from(edit.error).code === "policy-changed" : false;
  return (
    <>
      {(view.version > base.version || lost) && <ChangedMeanwhile onReload={() => void reload()} />}
      {saved !== undefined && <Saved view={view} />}
      <Editor
        key={round}
        initial={draftOf(base.policy)}
        name={base.policy.name}
        busy={edit.isPending}
        error={edit.error}
        saved={false}
        unset={view.removes_nothing}
        onSave={(policy) => edit.mutate({ params: { path: { name: base.policy.name } }, body: { policy, version: base.version } })}
        onTouch={() => {
          if (edit.isError) edit.reset();
          if (saved !== undefined) show({ saved: undefined });
        }}
      />
    </>
  );
}

function ChangedMeanwhile({ onReload }: { onReload: () => void }) {
  const t = useTexts("policies");
  return (
    <MessageBar intent="warning" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{t("editor.changed")}</MessageBarTitle>
        {t("editor.changedBody")}
      </MessageBarBody>
      <MessageBarActions>
        <Button onClick={onReload}>{t("editor.reload")}</Button>
      </MessageBarActions>
    </MessageBar>
  );
}

function Saved({ view }: { view: View }) {
  const t = useTexts("policies");
  const mayRun = useMay("run-backups");
  const ref = useInSight();
  const words = () => {
    if (view.policy.enabled === false) return t("saved.off");
    return view.next ? t("saved.next", { time: when(view.next) }) : t("saved.manual");
  };
  return (
    <MessageBar ref={ref} intent="success" layout="multiline" role="status">
      <MessageBarBody>
        <MessageBarTitle>{t("saved.title", { name: view.policy.name })}</MessageBarTitle>
        {words()}
      </MessageBarBody>
      {mayRun && (
        <MessageBarActions>
          <RunNow policy={view.policy} />
        </MessageBarActions>
      )}
    </MessageBar>
  );
}
