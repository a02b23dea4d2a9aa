import { Body1, Button } from "@fluentui/react-components";
import { ArrowUndoRegular, DeleteRegular, DismissRegular, PlayRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell, useTellRefusal } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { announced, canApply, type PlanDetail } from "./plan";

interface ActionsProps {
  plan: PlanDetail;
  /** Somebody was named whose place is not saved: it would be applied without. */
  unsaved: boolean;
}

/** What can be done with a plan as it stands. */
export function PlanActions({ plan, unsaved }: ActionsProps) {
  const t = useTexts("restore");
  const [dialog, open] = useState<"apply" | "undo" | "remove">();
  const busy = plan.state === "planning" || plan.state === "applying";
  const tell = useTell();
  const cancel = api.useMutation("post", "/restore-plans/{id}/cancel", {
    onSuccess: () => tell(t("detail.canceling"), undefined, "info"),
    onError: useTellRefusal(),
  });
  const may = useMay("restore");
  if (!may) return null;
  const begun = Boolean(plan.apply_run);
  const close = () => open(undefined);
  return (
    <>
      {canApply(plan) && (
        <Button
          appearance="primary"
          icon={<PlayRegular />}
          disabledFocusable={unsaved}
          title={unsaved ? t("detail.unsavedMapping") : undefined}
          onClick={() => open("apply")}
        >
          {t(begun ? "detail.goOn" : "detail.apply")}
        </Button>
      )}
      {busy && (
        <>
          <Button icon={<DismissRegular />} disabled={cancel.isPending} onClick={() => cancel.mutate({ params: { path: { id: plan.id } } })}>
            {t("detail.cancel")}
          </Button>
          <ShowAs {...(plan.run && { cli: ["run", "cancel", plan.run] })} method="POST" path={`/restore-plans/${plan.id}/cancel`} />
        </>
      )}
      {plan.can_undo && (
        <Button icon={<ArrowUndoRegular />} onClick={() => open("undo")}>
          {t("detail.undo")}
        </Button>
      )}
      {!busy && (
        <Button icon={<DeleteRegular />} onClick={() => open("remove")}>
          {t("detail.remove")}
        </Button>
      )}
      {dialog === "apply" && <Apply plan={plan} onClose={close} />}
      {dialog === "undo" && <Undo plan={plan} onClose={close} />}
      {dialog === "remove" && <Remove plan={plan} onClose={close} />}
    </>
  );
}

interface Props {
  plan: PlanDetail;
  onClose: () => void;
}

function Apply({ plan, onClose }: Props) {
  const t = useTexts("restore");
  const tell = useTell();
  const target = plan.target.organization ?? plan.target.connector;
  const body = plan.confirm ? { confirm: plan.confirm } : {};
  const apply = api.useMutation("post", "/restore-plans/{id}/apply", {
    onSuccess: () => {
      onClose();
      if (plan.undoes) tell(t("detail.startedUndo"), t("detail.startedUndoBody"));
      else tell(t("detail.started"), t("detail.startedBody"));
    },
  });
  const cli = ["restore", "apply", plan.id, ...(plan.confirm ? ["--confirm", plan.confirm] : [])];
  return (
    <ConfirmDialog
      title={t("detail.applyTitle")}
      action={t("detail.applyDo")}
      typed={plan.confirm ?? undefined}
      busy={apply.isPending}
      error={apply.error}
      onConfirm={() => apply.mutate({ params: { path: { id: plan.id } }, body })}
      onCancel={onClose}
    >
      {announced(plan).map(([words, count]) => (
        <Body1 key={words} block>
          {t(words, { count, target })}
        </Body1>
      ))}
      <Body1 block>{t(plan.undoes ? "detail.applyUndone" : "detail.applyUndo")}</Body1>
      <ShowAs cli={cli} method="POST" path={`/restore-plans/${plan.id}/apply`} body={body} />
    </ConfirmDialog>
  );
}

function Undo({ plan, onClose }: Props) {
  const t = useTexts("restore");
  const navigate = useNavigate();
  const undo = api.useMutation("post", "/restore-plans/{id}/undo", {
    onSuccess: async ({ id }) => {
      onClose();
      await navigate({ to: "/restore/$id", params: { id } });
    },
  });
  return (
    <ConfirmDialog
      title={t("detail.undoTitle2")}
      action={t("detail.undoDo")}
      busy={undo.isPending}
      error={undo.error}
      onConfirm={() => undo.mutate({ params: { path: { id: plan.id } } })}
      onCancel={onClose}
    >
      <Body1 block>{t("detail.undoText")}</Body1>
      <ShowAs cli={["restore", "undo", plan.id]} method="POST" path={`/restore-plans/${plan.id}/undo`} />
    </ConfirmDialog>
  );
}

function Remove({ plan, onClose }: Props) {
  const t = useTexts("restore");
  const tell = useTell();
  const navigate = useNavigate();
  const action = api.useMutation("delete", "/restore-plans/{id}", {
    onSuccess: async () => {
      onClose();
      await navigate({ to: "/restore" });
      tell(t("detail.removed"));
    },
  });
  return (
    <ConfirmDialog
      title={t("detail.removeTitle")}
      action={t("detail.remove")}
      busy={action.isPending}
      error={action.error}
      onConfirm={() => action.mutate({ params: { path: { id: plan.id } } })}
      onCancel={onClose}
    >
      <Body1 block>{t("detail.removeText")}</Body1>
      <ShowAs cli={["restore", "remove", plan.id]} method="DELETE" path={`/restore-plans/${plan.id}`} />
    </ConfirmDialog>
  );
}
