import { Button, makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import type { Step } from "./machine";
import "./texts";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, paddingTop: tokens.spacingVerticalM },
});

interface Props {
  step: Step;
  /** The step cannot be left forward. */
  held: boolean;
  /** Something is being saved. */
  busy: boolean;
  /** The same outside the console. */
  showAs: ReactNode;
  onAdd: (run: boolean) => void;
  onNext: () => void;
  onBack: () => void;
  onCancel: () => void;
}

/** Onward, back and away. The first step has its own way onward: a sign-in. */
export function WizardActions({ step, held, busy, showAs, onAdd, onNext, onBack, onCancel }: Props) {
  const styles = useStyles();
  const t = useTexts("connect");
  const mayRun = useMay("run-backups");
  return (
    <div className={styles.actions}>
      {step !== "connection" && step !== "review" && (
        <Button appearance="primary" disabled={held} onClick={onNext}>
          {t("action.next")}
        </Button>
      )}
      {step === "review" && (
        <>
          <Button appearance="primary" disabled={busy} onClick={() => onAdd(false)}>
            {t("review.add")}
          </Button>
          {mayRun && (
            <Button disabled={busy} onClick={() => onAdd(true)}>
              {t("review.addRun")}
            </Button>
          )}
          {showAs}
        </>
      )}
      {step !== "connection" && (
        <Button disabled={busy} onClick={onBack}>
          {t("action.back")}
        </Button>
      )}
      <Button appearance="subtle" disabled={busy} onClick={onCancel}>
        {t("cancel")}
      </Button>
    </div>
  );
}
