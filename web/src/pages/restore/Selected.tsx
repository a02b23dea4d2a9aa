import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons";
import { useKindTitle } from "../../components/kinds";
import { useTexts } from "../../texts";
import { NUMBERED } from "../browse/order";
import { type Entry, entryKey } from "./basket";

const useStyles = makeStyles({
  list: {
    listStyle: "none",
    margin: 0,
    padding: 0,
    maxHeight: "320px",
    overflowY: "auto",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  entry: {
    display: "flex",
    alignItems: "center",
    gap: tokens.spacingHorizontalS,
    padding: `2px ${tokens.spacingHorizontalS}`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  name: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
});

/** How an entry of a selection is called. */
function useEntryName(): (entry: Entry) => string {
  const t = useTexts("restore");
  const title = useKindTitle();
  return (entry) => {
    switch (entry.type) {
      case "everything":
        return t("entry.everything");
      case "kind":
        return t("entry.kind", { kind: title(entry.kind) });
      case "project":
        return t("entry.project", { name: entry.name });
      case "item":
        return t("entry.item", { kind: title(entry.kind), name: NUMBERED.has(entry.kind) ? `${entry.item} · ${entry.name}` : entry.name || entry.item });
    }
  };
}

/** What is selected, each with the way out. */
export function Selected({ entries, onRemove }: { entries: Entry[]; onRemove: (entry: Entry) => void }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const name = useEntryName();
  if (entries.length === 0) return null;
  return (
    <ul className={styles.list} aria-label={t("new.what")}>
      {entries.map((entry) => (
        <li key={entryKey(entry)} className={styles.entry}>
          <span className={styles.name} dir="auto">
            {name(entry)}
          </span>
          <Button size="small" appearance="subtle" icon={<DismissRegular />} aria-label={t("entry.remove", { name: name(entry) })} onClick={() => onRemove(entry)} />
        </li>
      ))}
    </ul>
  );
}
