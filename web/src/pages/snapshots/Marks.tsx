import { makeStyles, tokens, Tooltip } from "@fluentui/react-components";
import { useState } from "react";
import { when } from "../../components/format";
import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import { changesOf, isQuiet, type Snapshot } from "./change";

const useStyles = makeStyles({
  marks: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalXS },
});

/** What is known of a snapshot beside its content: read back and whole, locked against removal. */
export function Marks({ snapshot }: { snapshot: Snapshot }) {
  const t = useTexts("snapshots");
  const styles = useStyles();
  const { verified, locked_until: until } = snapshot;
  const [now] = useState(Date.now);
  return (
    <span className={styles.marks}>
      {verified && (
        <Tooltip content={t("verifiedAt", { at: when(verified.at), by: verified.by })} relationship="description">
          <span>
            <StatusBadge tone={verified.ok ? "good" : "bad"}>{t(verified.ok ? "verified" : "damaged")}</StatusBadge>
          </span>
        </Tooltip>
      )}
      {until && Date.parse(until) > now && <StatusBadge tone="neutral">{t("locked", { until: when(until) })}</StatusBadge>}
    </span>
  );
}

/** `3 added, 2 changed, 1 deleted`. */
export function useChangeWords(): (snapshot: Snapshot) => string {
  const t = useTexts("snapshots");
  return (snapshot) => {
    const changes = changesOf(snapshot);
    if (!snapshot.parent) return t("first");
    if (isQuiet(changes)) return t("quiet");
    const told = (["added", "changed", "removed"] as const).filter((key) => changes[key] > 0);
    return told.map((key) => t(key, { count: changes[key] })).join(", ");
  };
}
