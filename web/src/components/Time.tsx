import { Tooltip } from "@fluentui/react-components";
import { useTexts } from "../texts";
import { ago, when } from "./format";
import { useNow } from "./now";

/** A moment as people say it, the exact time behind it. */
export function Time({ at }: { at: string | null | undefined }) {
  const t = useTexts();
  const now = useNow();
  if (!at) return <>{t("time.never")}</>;
  return (
    <Tooltip content={when(at)} relationship="description">
      <time dateTime={at}>{ago(at, now)}</time>
    </Tooltip>
  );
}
