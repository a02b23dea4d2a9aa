import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { when } from "../../components/format";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { useInSight } from "./editing";
import "./texts";

export type TheWait = Schemas["Waits"];

/** The answer to a change that another person has to approve. */
export function waitOf(answer: unknown): TheWait | undefined {
  return typeof answer === "object" && answer !== null && "proposal" in answer ? (answer as TheWait) : undefined;
}

/** Says that nothing has changed yet, and where somebody else approves it. */
export function Waits({ wait }: { wait: TheWait }) {
  const t = useTexts("policies");
  const ref = useInSight();
  return (
    <MessageBar ref={ref} intent="warning" layout="multiline" role="status">
      <MessageBarBody>
        <MessageBarTitle>{t("waits.title")}</MessageBarTitle>
        {t("waits.body", { until: when(wait.expires) })}
      </MessageBarBody>
      <MessageBarActions>
        <TextLink to="/approvals/$id" params={{ id: wait.proposal }}>
          {t("waits.link")}
        </TextLink>
      </MessageBarActions>
    </MessageBar>
  );
}
