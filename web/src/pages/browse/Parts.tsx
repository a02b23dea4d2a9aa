import { Breadcrumb, BreadcrumbButton, BreadcrumbDivider, BreadcrumbItem, Link } from "@fluentui/react-components";
import { Fragment } from "react";
import { bytes } from "../../components/format";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Empty } from "../../components/State";
import { useShown } from "../../components/search";
import { useTexts } from "../../texts";
import { contentUrl, FIXED } from "./content";
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
      <Trail top={item.path} steps={steps} onOpen={(to) => show({ path: to, part: undefined }, "push")} />
      {isFile ? (
        <FileView name={steps.at(-1) ?? ""} url={contentUrl(snapshot.id, path)} download={contentUrl(snapshot.id, path, steps.at(-1) ?? "")} />
      ) : (
        <Folder snapshot={snapshot.id} path={path} onOpen={(name, file) => show({ path: [...steps, name].join("/"), part: file ? "file" : undefined }, "push")} />
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
  const files = usePaged("/snapshots/{id}/files", { path: { id: snapshot }, query: { path, limit: 200 } }, FIXED);
  return (
    <Listing
      list={files}
      label={t("item.parts")}
      empty={<Empty title={t("files.empty")} />}
      id={({ name }) => name}
      columns={[
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
        { key: "size", title: t("files.size"), width: 120, cell: ({ size }) => (size == null ? "" : bytes(size)) },
      ]}
    />
  );
}
