import { Breadcrumb, BreadcrumbButton, BreadcrumbDivider, BreadcrumbItem, Link } from "@fluentui/react-components";
import { Fragment } from "react";
import { type Column, DataTable } from "../../components/DataTable";
import { bytes } from "../../components/format";
import { Empty, Loaded } from "../../components/State";
import { useShown } from "../../components/search";
import { useTexts } from "../../texts";
import { contentUrl, type StoredFile, useStoredPages } from "./contract";
import { FileView } from "./FileView";
import type { ViewProps } from "./item";

/** The stored files of an item, folder by folder. */
export function Parts({ snapshot, item }: ViewProps) {
  const [shown, show] = useShown();
  const below = shown["path"] ?? "";
  const steps = below.split("/").filter((step) => step !== "");
  const path = [item.path, ...steps].join("/");
  const isFile = shown["part"] === "file";
  return (
    <>
      <Trail top={item.path} steps={steps} onOpen={(to) => show({ path: to, part: undefined })} />
      {isFile ? (
        <FileView name={steps.at(-1) ?? ""} url={contentUrl(snapshot.id, path)} download={contentUrl(snapshot.id, path, steps.at(-1) ?? "")} />
      ) : (
        <Folder snapshot={snapshot.id} path={path} onOpen={(name, file) => show({ path: [...steps, name].join("/"), part: file ? "file" : undefined })} />
      )}
    </>
  );
}

/** The way to a folder, each step a link. */
export function Trail({ top, steps, onOpen }: { top: string; steps: string[]; onOpen: (to: string | undefined) => void }) {
  const t = useTexts("browse");
  return (
    <Breadcrumb aria-label={t("files.where")} style={{ flexWrap: "wrap" }}>
      <BreadcrumbItem>
        <BreadcrumbButton current={steps.length === 0} onClick={() => onOpen(undefined)}>
          {top}
        </BreadcrumbButton>
      </BreadcrumbItem>
      {steps.map((step, index) => (
        <Fragment key={steps.slice(0, index + 1).join("/")}>
          <BreadcrumbDivider />
          <BreadcrumbItem>
            <BreadcrumbButton current={index === steps.length - 1} onClick={() => onOpen(steps.slice(0, index + 1).join("/"))}>
              {step}
            </BreadcrumbButton>
          </BreadcrumbItem>
        </Fragment>
      ))}
    </Breadcrumb>
  );
}

function Folder({ snapshot, path, onOpen }: { snapshot: string; path: string; onOpen: (name: string, file: boolean) => void }) {
  const t = useTexts("browse");
  const files = useStoredPages<StoredFile>(snapshot, "/files", { path, limit: 200 });
  const columns: Column<StoredFile>[] = [
    {
      key: "name",
      title: t("files.name"),
      grow: 4,
      cell: ({ name, type }) => (
        <Link as="button" onClick={() => onOpen(name, type === "file")} disabled={type !== "file" && type !== "folder"}>
          {name}
          {type === "folder" && "/"}
        </Link>
      ),
    },
    { key: "size", title: t("files.size"), width: 120, cell: ({ size }) => (size === undefined ? "" : bytes(size)) },
  ];
  return (
    <Loaded query={{ ...files, data: files.items }}>
      {(items) =>
        items.length === 0 ? (
          <Empty title={t("files.empty")} />
        ) : (
          <DataTable
            label={t("item.parts")}
            items={items}
            columns={columns}
            id={({ name }) => name}
            more={files.hasNextPage}
            onMore={() => !files.isFetchingNextPage && void files.fetchNextPage()}
          />
        )
      }
    </Loaded>
  );
}
