import { Button } from "@fluentui/react-components";
import { PlayRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import type { Policy } from "./draft";
import "./texts";

interface Props {
  policy: Policy;
  appearance?: "primary" | "secondary" | "subtle";
  /** Beside others of its kind: the button's name says which. */
  inList?: boolean;
}

/** Runs a policy now, after saying for what. */
export function RunNow({ policy, appearance = "secondary", inList = false }: Props) {
  const t = useTexts("policies");
  const [asked, setAsked] = useState(false);
  return (
    <>
      <Button
        icon={<PlayRegular />}
        appearance={appearance}
        {...(inList && { size: "small", "aria-label": t("run.actionFor", { name: policy.name }) })}
        onClick={() => setAsked(true)}
      >
        {t("run.action")}
      </Button>
      {asked && <Ask policy={policy} onClose={() => setAsked(false)} />}
    </>
  );
}

function Ask({ policy, onClose }: { policy: Policy; onClose: () => void }) {
  const t = useTexts("policies");
  const tell = useTell();
  const navigate = useNavigate();
  const preview = api.useQuery("post", "/policies/preview", { body: policy });
  const run = api.useMutation("post", "/policies/{name}/run", {
    onSuccess: async ({ items }) => {
      tell(t("run.started", { count: items.length }), t("run.startedBody"));
      onClose();
      const only = items.length === 1 ? items[0] : undefined;
      await navigate(only ? { to: `/runs/${only.id}` } : { to: "/runs" });
    },
  });
  const names = preview.data?.connectors ?? [];
  return (
    <ConfirmDialog
      title={t("run.title", { name: policy.name })}
      action={t("run.action")}
      busy={run.isPending}
      ready={names.length > 0}
      error={run.error}
      onConfirm={() => run.mutate({ params: { path: { name: policy.name } }, body: { connector: null } })}
      onCancel={onClose}
    >
      <Loaded query={preview}>
        {({ connectors }) => (
          <p>
            {connectors.length === 0
              ? t("general.coversNone")
              : t("run.body", { count: connectors.length, names: connectors.join(", ") })}
          </p>
        )}
      </Loaded>
      <ShowAs cli={["policy", "run", policy.name]} method="POST" path={`/policies/${encodeURIComponent(policy.name)}/run`} body={{}} />
    </ConfirmDialog>
  );
}
