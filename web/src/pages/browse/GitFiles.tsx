import { Button, Link } from "@fluentui/react-components";
import { DocumentRegular, FolderRegular } from "@fluentui/react-icons";
import type { Schemas } from "../../api/client";
import { bytes } from "../../components/format";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Empty, Loaded } from "../../components/State";
import { useShown } from "../../components/search";
import { useTexts } from "../../texts";
import { blobUrl, FIXED } from "./content";
import { FileView } from "./FileView";
import { RefPicker, useRefs } from "./GitRefs";
import type { ViewProps } from "./item";
import { Trail } from "./Parts";

type GitEntry = Schemas["GitEntryView"];

/** The files of a repository at a branch, tag or commit. */
export function GitFiles({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const [shown, show] = useShown();
  const refs = useRefs(snapshot.id, item.path);
  const { folder = "", file } = shown;
  const steps = (file ?? folder).split("/").filter((step) => step !== "");
  return (
    <Loaded query={refs}>
      {({ head, items }) => {
        if (items.length === 0) return <Empty title={t("git.empty")}>{t("git.emptyHint")}</Empty>;
        const ref = shown["ref"] ?? head ?? items[0]?.name ?? "";
        return (
          <>
            <RefPicker
              snapshot={snapshot.id}
              path={item.path}
              value={ref}
              head={head ?? undefined}
              onChange={(value) => show({ ref: value, folder: undefined, file: undefined })}
            />
            <Trail top={item.name} steps={steps} onOpen={(to) => show({ folder: to, file: undefined }, "push")} />
            {file === undefined ? (
              <Folder
                key={`${ref}:${folder}`}
                snapshot={snapshot.id}
                path={item.path}
                gitRef={ref}
                folder={folder}
                onOpen={(name, type) => show({ [type === "folder" ? "folder" : "file"]: [...steps, name].join("/") }, "push")}
              />
            ) : (
              <FileView
                key={`${ref}:${file}`}
                name={steps.at(-1) ?? file}
                url={blobUrl(snapshot.id, item.path, ref, file)}
                download={blobUrl(snapshot.id, item.path, ref, file, steps.at(-1) ?? "")}
                actions={
                  <Button size="small" onClick={() => show({ tab: "commits", file, folder: undefined }, "push")}>
                    {t("git.fileHistory")}
                  </Button>
                }
              />
            )}
          </>
        );
      }}
    </Loaded>
  );
}

interface FolderProps {
  snapshot: string;
  path: string;
  gitRef: string;
  folder: string;
  onOpen: (name: string, type: GitEntry["type"]) => void;
}

function Folder({ snapshot, path, gitRef, folder, onOpen }: FolderProps) {
  const t = useTexts("browse");
  const query = { path, ref: gitRef, limit: 200, ...(folder && { folder }) };
  const entries = usePaged("/snapshots/{id}/git/tree", { path: { id: snapshot }, query }, FIXED);
  // git sorts by bytes; people look for folders first.
  const sorted = (items: GitEntry[]) => items.toSorted((one, other) => Number(other.type === "folder") - Number(one.type === "folder"));
  return (
    <Listing
      list={entries}
      shown={(items) => (entries.hasNextPage ? items : sorted(items))}
      label={t("item.files")}
      empty={<Empty title={t("files.empty")} />}
      id={({ name, raw_name }) => raw_name ?? name}
      columns={[
        { key: "name", title: t("files.name"), grow: 4, cell: (entry) => <Entry entry={entry} onOpen={onOpen} /> },
        { key: "size", title: t("files.size"), width: 120, cell: ({ size, type }) => (type === "folder" ? t("files.folder") : size == null ? "" : bytes(size)) },
      ]}
    />
  );
}

function Entry({ entry: { name, raw_name: raw, type, id }, onOpen }: { entry: GitEntry; onOpen: FolderProps["onOpen"] }) {
  const t = useTexts("browse");
  if (type === "submodule") return <>{`${name} (${t("files.submodule", { id: id.slice(0, 8) })})`}</>;
  if (raw) return <span title={t("files.damagedName")}>{name}</span>;
  return (
    <Link as="button" onClick={() => onOpen(name, type)}>
      {type === "folder" ? <FolderRegular aria-hidden /> : <DocumentRegular aria-hidden />} {name}
      {type === "link" && ` (${t("files.link")})`}
    </Link>
  );
}
