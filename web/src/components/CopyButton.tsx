import { Button } from "@fluentui/react-components";
import { CheckmarkRegular, CopyRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { useTexts } from "../texts";
import { useTell } from "./tell";

/** Copies a text, and says that it did. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useTexts();
  const [copied, setCopied] = useState(false);
  const tell = useTell();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      tell(t("copyFailed"), t("copyFailedHint"), "error");
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <Button size="small" icon={copied ? <CheckmarkRegular /> : <CopyRegular />} onClick={() => void copy()}>
      <span aria-live="polite">{copied ? t("action.copied") : (label ?? t("action.copy"))}</span>
    </Button>
  );
}
