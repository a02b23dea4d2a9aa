import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { CheckmarkRegular } from "@fluentui/react-icons";
import { useTexts } from "../../texts";
import type { Step } from "./machine";
import "./texts";
import type { Kind } from "./types";

const useStyles = makeStyles({
  steps: { listStyle: "none", display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, margin: 0, padding: 0 },
  step: { display: "flex", alignItems: "center", gap: tokens.spacingHorizontalXS, color: tokens.colorNeutralForeground3 },
  here: { color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
  back: { minWidth: 0, padding: 0, fontWeight: tokens.fontWeightRegular },
  number: {
    display: "inline-grid",
    placeItems: "center",
    width: "24px",
    height: "24px",
    borderRadius: tokens.borderRadiusCircular,
    border: `1px solid ${tokens.colorNeutralStroke1}`,
  },
});

export function stepTitle(t: ReturnType<typeof useTexts>, { place }: Kind, step: Step): string {
  return t(`step.${step === "organizations" && place === "tenant" ? "organizationsTenant" : step}`);
}

interface ProgressProps {
  kind: Kind;
  steps: readonly Step[];
  step: Step;
  onStep: (step: Step) => void;
}

/** The steps of the wizard: which is shown, and the way back to those that were. */
export function Progress({ kind, steps, step, onStep }: ProgressProps) {
  const styles = useStyles();
  const t = useTexts("connect");
  const at = steps.indexOf(step);
  const title = (one: Step) => stepTitle(t, kind, one);
  return (
    <nav aria-label={t("step.label")}>
      <ol className={styles.steps}>
        {steps.map((one, index) => (
          <li key={one} className={mergeClasses(styles.step, index === at && styles.here)} aria-current={index === at ? "step" : undefined}>
            <span className={styles.number} aria-hidden>
              {index < at ? <CheckmarkRegular /> : index + 1}
            </span>
            {index < at ? (
              <Button className={styles.back} appearance="transparent" onClick={() => onStep(one)}>
                {title(one)}
              </Button>
            ) : (
              title(one)
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
