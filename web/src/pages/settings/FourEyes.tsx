import { Switch, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";

/** Whether another person has to approve what removes backups. On is at once, off is a proposal. */
export function FourEyes() {
  const t = useTexts("settings");
  const may = useMay("manage-server");
  const query = api.useQuery("get", "/settings/four-eyes");
  const [wish, setWish] = useState<boolean>();
  return (
    <Section title={t("fourEyes.title")} about={t("fourEyes.about")}>
      <Loaded query={query}>
        {({ enabled }) => (
          <div>
            <Switch
              label={`${t("fourEyes.label")}: ${t(enabled ? "fourEyes.on" : "fourEyes.off")}`}
              checked={enabled}
              disabled={!may}
              onChange={(_, { checked }) => setWish(checked)}
            />
            {!may && <Text block>{t("fourEyes.mayNot")}</Text>}
          </div>
        )}
      </Loaded>
      <TextLink to="/approvals">{t("fourEyes.toApprovals")}</TextLink>
      {wish !== undefined && <Ask enabled={wish} onClose={() => setWish(undefined)} />}
    </Section>
  );
}

function Ask({ enabled, onClose }: { enabled: boolean; onClose: () => void }) {
  const t = useTexts("settings");
  const tell = useTell();
  const set = api.useMutation("put", "/settings/four-eyes", {
    onSuccess: (answer) => {
      if ("proposal" in answer) tell(t("fourEyes.waits"), t("fourEyes.waitsNext"), "info");
      else tell(t("fourEyes.isOn"));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t(enabled ? "fourEyes.askOn" : "fourEyes.askOff")}
      action={t(enabled ? "fourEyes.switchOn" : "fourEyes.switchOff")}
      busy={set.isPending}
      error={set.error}
      onConfirm={() => set.mutate({ body: { enabled } })}
      onCancel={onClose}
    >
      <p>{t(enabled ? "fourEyes.askOnAbout" : "fourEyes.askOffAbout")}</p>
      <ShowAs cli={["proposal", "four-eyes", enabled ? "on" : "off"]} method="PUT" path="/settings/four-eyes" body={{ enabled }} />
    </ConfirmDialog>
  );
}
