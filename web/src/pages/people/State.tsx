import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import "./texts";

/** Whether an account can be used. */
export function State({ disabled }: { disabled: boolean }) {
  const t = useTexts("people");
  return <StatusBadge tone={disabled ? "neutral" : "good"}>{t(disabled ? "state.disabled" : "state.enabled")}</StatusBadge>;
}
