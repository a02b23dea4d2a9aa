import { Caption1 } from "@fluentui/react-components";
import { useKindTitle } from "../../components/kinds";
import { TextLink } from "../../components/TextLink";
import { NUMBERED } from "../browse/order";
import type { PlanDetail, Step } from "./plan";

/** What a step is about, and the way to it in the snapshot where it is there. */
export function StepName({ step: { kind, item, name, project, action }, plan }: { step: Step; plan: PlanDetail }) {
  const title = useKindTitle();
  return (
    <>
      {action === "remove" ? (
        <span dir="auto">{name || item}</span>
      ) : (
        <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: plan.snapshot, kind, item }}>
          <span dir="auto">{NUMBERED.has(kind) ? `${item} · ${name}` : name || item}</span>
        </TextLink>
      )}
      <Caption1 block>
        {title(kind)}
        {project && ` · ${project}`}
      </Caption1>
    </>
  );
}
