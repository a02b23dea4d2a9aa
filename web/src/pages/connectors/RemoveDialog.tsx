import { MessageBar, MessageBarBody, MessageBarTitle, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { isGone, type Removed } from "./removed";
import "./texts";

interface Props {
  names: readonly string[];
  /** The names of those that stayed. */
  onDone: (stayed: string[]) => void;
  onCancel: () => void;
}

/** One question for all; what stays is named with the reason, and backups always stay (SRE-42 to SRE-44). */
export function RemoveDialog({ names, onDone, onCancel }: Props) {
  const t = useTexts("connectors");
  const tell = useTell();
  const [stayed, setStayed] = useState<Removed[]>();
  const remove = api.useMutation("post", "/connectors/remove", {
    onSuccess: ({ items }) => {
      const left = items.filter((item) => !isGone(item));
      const gone = items.filter(isGone).map(({ name }) => name);
      if (gone.length > 0) tell(t("remove.removed", { names: gone.join(", ") }), t("remove.removedBackups"));
      if (left.length > 0) setStayed(left);
      else onDone([]);
    },
  });
  const asked = stayed ? stayed.map(({ name }) => name) : [...names];
  const [first] = asked;
  return (
    <ConfirmDialog
      title={asked.length === 1 ? t("remove.title", { name: first }) : t("remove.titleMany", { count: asked.length })}
      action={stayed ? t("state.again") : asked.length === 1 ? t("action.delete") : t("action.remove")}
      {...(stayed && { dismiss: t("action.close") })}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ body: { names: asked } })}
      onCancel={() => (stayed ? onDone(asked) : onCancel())}
    >
      <Text block>{t("remove.about")}</Text>
      {asked.length > 1 && (
        <ul>
          {asked.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      )}
      {stayed && (
        <MessageBar intent="error" layout="multiline" role="alert">
          <MessageBarBody>
            <MessageBarTitle>{t("remove.stayed")}</MessageBarTitle>
            {stayed.map(({ name, problem }) => (
              <div key={name}>{t("remove.stayedOne", { name, why: [problem?.detail, problem?.hint].filter(Boolean).join(". ") })}</div>
            ))}
          </MessageBarBody>
        </MessageBar>
      )}
      <ShowAs
        {...(asked.length === 1 && first !== undefined && { cli: ["connector", "remove", first] })}
        method="POST"
        path="/connectors/remove"
        body={{ names: asked }}
      />
    </ConfirmDialog>
  );
}
