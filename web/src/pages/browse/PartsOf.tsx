import { useKinds, useKindTitle } from "../../components/kinds";
import { Empty } from "../../components/State";
import { useTexts } from "../../texts";
import "./texts";

/** The kind whose items contain those of this one, if these have no rows of their own. */
export function useWholeOf(kind: string | undefined): string | undefined {
  return useKinds().find(({ id }) => id === kind)?.within ?? undefined;
}

/** Stands where a kind is asked for that has no rows: that nothing of it is there would be wrong. */
export function PartsOf({ kind, whole }: { kind: string; whole: string }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  return <Empty title={t("partsOf", { kind: title(kind) })}>{t("partsOfHint", { whole: title(whole) })}</Empty>;
}
