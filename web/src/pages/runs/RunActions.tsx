import { Button } from "@fluentui/react-components";
import { ArrowSyncRegular, DismissRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell, useTellRefusal } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isOpen, type Run } from "./standing";
import { useRunWords } from "./words";
import "./texts";

/** What a person may do with a run: end it while it is open, or try again what has not simply succeeded. */
export function RunActions({ run }: { run: Run }) {
  const may = useMay("run-backups");
  if (!may) return null;
  if (isOpen(run)) return <Cancel run={run} />;
  return run.kind === "backup" && run.state !== "succeeded" ? <Retry run={run} /> : null;
}

function Cancel({ run }: { run: Run }) {
  const t = useTexts("runs");
  const words = useRunWords();
  const tell = useTell();
  const [asked, setAsked] = useState(false);
  const cancel = api.useMutation("post", "/runs/{run}/cancel", {
    onSuccess: () => {
      setAsked(false);
      tell(t("cancel.done"), t("cancel.doneBody"));
    },
  });
  const body = { backup: "cancel.body", restore: "cancel.bodyRestore" }[run.kind] ?? "cancel.bodyOther";
  return (
    <>
      <Button icon={<DismissRegular />} onClick={() => setAsked(true)}>
        {t("cancel.action")}
      </Button>
      <ShowAs cli={["run", "cancel", run.id]} method="POST" path={`/runs/${run.id}/cancel`} />
      {asked && (
        <ConfirmDialog
          title={t("cancel.title")}
          action={t("cancel.action")}
          dismiss={t("cancel.keep")}
          busy={cancel.isPending}
          error={cancel.error}
          onConfirm={() => cancel.mutate({ params: { path: { run: run.id } } })}
          onCancel={() => setAsked(false)}
        >
          <p>{words.title(run)}</p>
          <p>{t(body)}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function Retry({ run }: { run: Run }) {
  const t = useTexts("runs");
  const tell = useTell();
  const navigate = useNavigate();
  const retry = api.useMutation("post", "/runs/{run}/retry", {
    onSuccess: async (again) => {
      tell(t("retry.done"), t("retry.doneBody"));
      await navigate({ to: "/runs/$id", params: { id: again.id } });
    },
    onError: useTellRefusal(),
  });
  return (
    <>
      <Button
        icon={<ArrowSyncRegular />}
        appearance={run.state === "failed" ? "primary" : "secondary"}
        disabled={retry.isPending}
        onClick={() => retry.mutate({ params: { path: { run: run.id } } })}
      >
        {t("retry.action")}
      </Button>
      <ShowAs cli={["run", "retry", run.id]} method="POST" path={`/runs/${run.id}/retry`} />
    </>
  );
}
