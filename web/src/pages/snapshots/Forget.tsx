import { Body1 } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { client } from "../../api/client";
import { useWrite } from "../../api/write";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import type { Snapshot } from "./change";

const NAMED = 8;

interface Props {
  snapshots: Snapshot[];
  /** How the list tells each of them. */
  told: (snapshot: Snapshot) => string;
  onDone: () => void;
  onClose: () => void;
}

/** Asks before snapshots are forgotten; with four eyes on, asks somebody else. */
export function Forget({ snapshots, told, onDone, onClose }: Props) {
  const t = useTexts("snapshots");
  const tell = useTell();
  const navigate = useNavigate();
  const eyes = useMe().four_eyes;
  const ids = snapshots.map(({ id }) => id);
  const forget = useWrite({
    mutationFn: () => client.POST("/snapshots/forget", { body: { snapshots: ids } }),
    onSuccess: async ({ response }) => {
      onClose();
      onDone();
      if (response.status === 202) {
        tell(t("waits"), t("forgetEyes"), "info");
        await navigate({ to: "/approvals" });
        return;
      }
      tell(t("forgotten", { count: ids.length }));
    },
  });
  return (
    <ConfirmDialog
      title={t("forgetTitle", { count: ids.length })}
      action={t(eyes ? "forgetAsk" : "forgetDo")}
      busy={forget.isPending}
      error={forget.error}
      onConfirm={() => forget.mutate()}
      onCancel={onClose}
    >
      <ul>
        {snapshots.slice(0, NAMED).map((snapshot) => (
          <li key={snapshot.id}>
            {snapshot.source}, {told(snapshot)}
          </li>
        ))}
        {snapshots.length > NAMED && <li>…</li>}
      </ul>
      <Body1 block>{t("forgetText", { count: ids.length })}</Body1>
      {eyes && <Body1 block>{t("forgetEyes")}</Body1>}
      <ShowAs cli={["snapshot", "forget", ...ids.map((id) => id.slice(0, 8))]} method="POST" path="/snapshots/forget" body={{ snapshots: ids }} />
    </ConfirmDialog>
  );
}
