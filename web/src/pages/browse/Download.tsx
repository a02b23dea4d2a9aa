import { Button } from "@fluentui/react-components";
import { ArrowDownloadRegular } from "@fluentui/react-icons";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { archiveOf, type Entry } from "../restore/basket";
import { archiveCli } from "../restore/cli";
import { archivePath } from "./content";

/** Things of a snapshot as a ZIP. */
export function Download({ snapshot, entries }: { snapshot: { id: string; source: string }; entries: Entry[] }) {
  const t = useTexts("browse");
  const asked = archiveOf(entries);
  const path = archivePath(snapshot.id, asked);
  const none = entries.length === 0;
  if (none || path === undefined) {
    return (
      <Button icon={<ArrowDownloadRegular />} disabledFocusable={!none} disabled={none} title={none ? undefined : t("tooMany")}>
        {t("download")}
      </Button>
    );
  }
  const file = `${snapshot.source}.zip`;
  return (
    <>
      <Button as="a" icon={<ArrowDownloadRegular />} href={`/api/v1${path}`} download>
        {t("download")}
      </Button>
      <ShowAs of={t("download")} cli={archiveCli(snapshot.id, asked, file)} method="GET" path={path} file={file} />
    </>
  );
}
