import { Body1, Caption1 } from "@fluentui/react-components";
import { count } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import type { PlanDetail } from "./plan";

/** What does not come back as it was, by kind: told before anything is written. */
export function Losses({ plan }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  const title = useKindTitle();
  const kinds = [...new Set(plan.losses.map(({ kind }) => kind))];
  return (
    <Section title={t("detail.losses")}>
      {kinds.length === 0 && <Body1>{t("detail.noLosses")}</Body1>}
      {kinds.map((kind) => (
        <div key={kind}>
          <strong>{title(kind)}</strong>
          <ul style={{ marginTop: 4 }}>
            {plan.losses
              .filter((loss) => loss.kind === kind)
              .map(({ text, items }) => (
                <li key={text}>
                  {text} <Caption1>({t("detail.lossItems", { count: items, formatted: count(items) })})</Caption1>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </Section>
  );
}
