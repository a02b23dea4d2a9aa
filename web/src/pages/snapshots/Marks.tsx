import { Caption1, makeStyles, tokens, Tooltip } from "@fluentui/react-components";
import { useState } from "react";
import { count, listed, when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import { changesOf, isQuiet, type Snapshot } from "./change";
import { choiceWords } from "../policies/words";
import { isStale, staleKinds } from "./stale";
import "../policies/texts";
import "./texts";

/** Further projects are a number in a list; the snapshot's own page names them all. */
const FEW = 3;

const useStyles = makeStyles({
  marks: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalXS },
});

type Told = Pick<Snapshot, "stale_parts" | "stale_items">;

/** What of a snapshot is older than itself: `Teams (Shop, Web), 3 items`; empty where nothing is. `most` names of projects are told of each kind. */
export function useStaleWords(): (snapshot: Told, most?: number) => string {
  const t = useTexts("snapshots");
  const title = useKindTitle();
  return (snapshot, most = FEW) => {
    const kinds = staleKinds(snapshot).map(({ kind, scopes }) => {
      const names = scopes.length > most ? [...scopes.slice(0, most), t("andMore", { count: scopes.length - most })] : scopes;
      return names.length === 0 ? title(kind) : `${title(kind)} (${names.join(", ")})`;
    });
    const { stale_items: items } = snapshot;
    return listed(items > 0 ? [...kinds, t("staleItems", { count: items, formatted: count(items) })] : kinds);
  };
}

/** What its run was to back up of a snapshot: `Projects: only Shop; without Wikis`; `undefined` where that was everything. */
export function useSelectedWords(): (snapshot: Pick<Snapshot, "selected">) => string | undefined {
  const t = useTexts("snapshots");
  const policies = useTexts("policies");
  const title = useKindTitle();
  return ({ selected }) => {
    if (!selected) return undefined;
    const choices = Object.fromEntries(selected.only.map(({ kind, ...choice }) => [kind, choice]));
    const kinds = selected.without.map(title).join(", ");
    const what = [...choiceWords(policies, choices, title), ...(kinds === "" ? [] : [t("unselected", { kinds })])];
    return t("selectedWhat", { what: what.join("; ") });
  };
}

/** That a snapshot does not hold everything as it was when it was made; nothing where it does. */
export function StaleMark({ snapshot }: { snapshot: Told & Pick<Snapshot, "selected"> }) {
  const t = useTexts("snapshots");
  const words = useStaleWords();
  const selected = useSelectedWords()(snapshot);
  return (
    <>
      {isStale(snapshot) && (
        <span>
          <StatusBadge tone="warning">{t("stale")}</StatusBadge>
          <Caption1 block>{t("staleWhat", { what: words(snapshot) })}</Caption1>
        </span>
      )}
      {selected !== undefined && (
        <span>
          <StatusBadge tone="neutral">{t("selected")}</StatusBadge>
          <Caption1 block>{selected}</Caption1>
        </span>
      )}
    </>
  );
}

/** What is known of a snapshot beside its content: not all of it is new, read back and whole, locked against removal. */
export function Marks({ snapshot, stale = true }: { snapshot: Snapshot; stale?: boolean }) {
  const t = useTexts("snapshots");
  const styles = useStyles();
  const { verified, locked_until: until } = snapshot;
  const [now] = useState(Date.now);
  const locked = until && Date.parse(until) > now;
  if (!verified && !locked && !(stale && (isStale(snapshot) || snapshot.selected))) return null;
  return (
    <span className={styles.marks}>
      {stale && <StaleMark snapshot={snapshot} />}
      {verified && (
        <Tooltip content={t("verifiedAt", { at: when(verified.at), by: verified.by })} relationship="description">
          <span>
            <StatusBadge tone={verified.ok ? "good" : "bad"}>{t(verified.ok ? "verified" : "damaged")}</StatusBadge>
          </span>
        </Tooltip>
      )}
      {locked && <StatusBadge tone="neutral">{t("locked", { until: when(until) })}</StatusBadge>}
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
