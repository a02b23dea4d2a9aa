import { Button } from "@fluentui/react-components";
import { DeleteRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { type TheWait, waitOf } from "./Waits";
import "./texts";

/** Removes a policy; where that keeps less, it may wait for another person. */
export function RemovePolicy({ name, onWait }: { name: string; onWait: (wait: TheWait) => void }) {
  const t = useTexts("policies");
  const tell = useTell();
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  const remove = api.useMutation("delete", "/policies/{name}", {
    onSuccess: async (answer) => {
      setAsked(false);
      const wait = waitOf(answer);
      if (wait) return onWait(wait);
      tell(t("remove.done", { name }), t("remove.doneBody"));
      await navigate({ to: "/policies" });
    },
  });
  return (
    <>
      <Button icon={<DeleteRegular />} onClick={() => setAsked(true)}>
        {t("remove.action")}
      </Button>
      {asked && (
        <ConfirmDialog
          title={t("remove.title", { name })}
          action={t("remove.action")}
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate({ params: { path: { name } } })}
          onCancel={() => setAsked(false)}
        >
          <p>{t("remove.body")}</p>
          <ShowAs cli={["policy", "remove", name]} method="DELETE" path={`/policies/${encodeURIComponent(name)}`} />
        </ConfirmDialog>
      )}
    </>
  );
}
