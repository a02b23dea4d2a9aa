import { Tooltip } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useTexts } from "../texts";
import { ago, when } from "./format";

const TICK = 30_000;

/** A moment as people say it, the exact time behind it. */
export function Time({ at }: { at: string | null | undefined }) {
  const t = useTexts();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK);
    return () => clearInterval(timer);
  }, []);
  if (!at) return <>{t("time.never")}</>;
  return (
    <Tooltip content={when(at)} relationship="description">
      <time dateTime={at}>{ago(at, now)}</time>
    </Tooltip>
  );
}
