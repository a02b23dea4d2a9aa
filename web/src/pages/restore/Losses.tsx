import { Body1, Button, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronDownRegular, ChevronRightRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { count } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { Empty } from "../../components/State";
import { Words } from "../../components/Words";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isWritten, type Loss as Told } from "./losses";
import type { PlanDetail, Step } from "./plan";
import { StepName } from "./StepName";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS },
  loss: { display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: tokens.spacingHorizontalS, overflowWrap: "anywhere" },
  kind: { margin: 0, fontSize: tokens.fontSizeBase300 },
});

/** What does not come back as it was: each loss once, with how many items have it, and which. */
export function Losses({ plan, losses }: { plan: PlanDetail; losses: Told[] }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const title = useKindTitle();
  const kinds = [...new Set(losses.map(({ kind }) => kind))];
  return (
    <Section title={t("detail.losses")}>
      {kinds.length === 0 && <Body1>{t("detail.noLosses")}</Body1>}
      {kinds.map((kind) => (
        <div key={kind}>
          <h3 className={styles.kind}>{title(kind)}</h3>
          <ul className={styles.list}>
            {losses
              .filter((loss) => loss.kind === kind)
              .map(({ text, items }) => (
                <Loss key={text} plan={plan} kind={kind} text={text} items={items} />
              ))}
          </ul>
        </div>
      ))}
    </Section>
  );
}

interface LossProps {
  plan: PlanDetail;
  kind: string;
  text: string;
  items: number;
}

function Loss({ plan, kind, text, items }: LossProps) {
  const styles = useStyles();
  const t = useTexts("restore");
  const mayRead = useMay("read-content");
  const [open, setOpen] = useState(false);
  const words = t("detail.lossItems", { count: items, formatted: count(items) });
  return (
    <li>
      <div className={styles.loss}>
        <Body1>
          <Words text={text} />
        </Body1>
        {mayRead ? (
          <Button
            size="small"
            appearance="subtle"
            aria-expanded={open}
            aria-label={t("detail.lossItemsOf", { count: items, formatted: count(items), text })}
            icon={open ? <ChevronDownRegular /> : <ChevronRightRegular />}
            onClick={() => setOpen(!open)}
          >
            {words}
          </Button>
        ) : (
          <Body1>({words})</Body1>
        )}
      </div>
      {open && <Items plan={plan} kind={kind} text={text} />}
    </li>
  );
}

/** The items that a loss is about. */
function Items({ plan, kind, text }: Omit<LossProps, "items">) {
  const t = useTexts("restore");
  const steps = usePaged("/restore-plans/{id}/steps", { path: { id: plan.id }, query: { limit: 100, kind } }, { more: 1_000 });
  return (
    <Listing
      list={steps}
      shown={(all: Step[]) => all.filter((step) => isWritten(step) && step.losses.includes(text))}
      label={t("detail.lossList", { text })}
      empty={<Empty title={t("detail.noSteps")} />}
      columns={[
        { key: "item", title: t("detail.item"), grow: 3, cell: (step: Step) => <StepName step={step} plan={plan} /> },
        { key: "action", title: t("detail.action"), cell: ({ action }: Step) => t(`action.${action}`) },
      ]}
      id={(step: Step) => `${step.kind}/${step.project ?? ""}/${step.item}`}
    />
  );
}
