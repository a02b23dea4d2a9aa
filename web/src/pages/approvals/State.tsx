import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import "./texts";

const TONES: Record<string, Tone> = {
  open: "waiting",
  executing: "waiting",
  done: "good",
  failed: "bad",
  rejected: "neutral",
  withdrawn: "neutral",
  expired: "neutral",
};

/** How a proposal stands. */
export function State({ state }: { state: string }) {
  const t = useTexts("approvals");
  return <StatusBadge tone={TONES[state] ?? "neutral"}>{t(`state.${state}`, { defaultValue: state })}</StatusBadge>;
}
