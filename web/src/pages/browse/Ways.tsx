import { Button } from "@fluentui/react-components";
import { ArrowUndoRegular, CartRegular } from "@fluentui/react-icons";
import { useTexts } from "../../texts";
import type { Entry } from "../restore/basket";
import { Download } from "./Download";
import { useRestoreWays } from "./restore";
import type { SnapshotDetail } from "./snapshot";

interface Props {
  snapshot: SnapshotDetail;
  entries: Entry[];
}

/** What can be done with things in a snapshot: into the basket, restore, download. */
export function Ways({ snapshot, entries }: Props) {
  const t = useTexts("browse");
  const ways = useRestoreWays(snapshot);
  const none = entries.length === 0;
  return (
    <>
      {ways && (
        <>
          <Button appearance="primary" icon={<ArrowUndoRegular />} disabled={none} onClick={() => ways.restore(entries)}>
            {t("restore")}
          </Button>
          <Button icon={<CartRegular />} disabled={none} onClick={() => ways.add(entries)}>
            {t("add")}
          </Button>
        </>
      )}
      <Download snapshot={snapshot} entries={entries} />
    </>
  );
}

/** Restores a whole kind, or everything: nothing has to be selected for it. */
export function RestoreAll({ snapshot, entry }: { snapshot: SnapshotDetail; entry: Entry }) {
  const t = useTexts("browse");
  const ways = useRestoreWays(snapshot);
  if (!ways) return null;
  return (
    <Button icon={<ArrowUndoRegular />} onClick={() => ways.restore([entry])}>
      {t(entry.type === "everything" ? "restoreAll" : "restoreKind")}
    </Button>
  );
}
