import { useTexts } from "../../texts";
import { type Run, subject } from "./standing";
import "./texts";

/** `Backup of contoso`, and why it was made. */
export function useRunWords() {
  const t = useTexts("runs");
  return {
    title: (run: Run) =>
      t([`of.${run.kind}`, "of.other"], { subject: subject(run), kind: t(`kind.${run.kind}`, { defaultValue: run.kind }) }),
    reason: (run: Run) => t(`reason.${run.reason}`, { policy: run.policy ?? t("noPolicy"), defaultValue: run.reason }),
  };
}
