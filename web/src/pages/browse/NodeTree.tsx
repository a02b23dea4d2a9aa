import { Button, Tree, TreeItem, TreeItemLayout } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { useKindTitle } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { Empty, Failed, Loading } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useWhole } from "../../components/whole";
import { useTexts } from "../../texts";
import { contentUrl, FIXED, readContent } from "./content";
import { treeOf, type TreeNode } from "./nodes";
import { useProjects } from "./projects";
import { readAll } from "./readAll";
import { type Document, isDocument } from "./records";
import type { SnapshotDetail } from "./snapshot";

type Item = Schemas["ItemView"];

const FILES: Record<string, string> = { area: "area.json", iteration: "iteration.json" };
/** Further ones of a level are shown when they are asked for: thousands beside each other would hold up the page. */
const LEVEL = 200;

/** The areas or iterations of a project, as a tree. */
export function NodeTree({ snapshot, kind }: { snapshot: SnapshotDetail; kind: string }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const [shown, show] = useShown();
  const projects = useProjects(snapshot);
  const scope = shown["project"] ?? projects.options[0]?.value;
  const params = { path: { id: snapshot.id }, query: { kind, limit: 1_000, ...(scope !== undefined && { scope }) } };
  const items = usePaged("/snapshots/{id}/items", params, { enabled: scope !== undefined, ...FIXED });
  const whole = useWhole(items);
  return (
    <Section title={title(kind)} actions={<Button onClick={() => show({ as: "list", project: scope })}>{t("asList")}</Button>}>
      <Filters>
        <FilterSelect label={t("project")} value={scope} options={projects.options} onChange={(value) => show({ project: value })} />
      </Filters>
      {items.error ? (
        <Failed error={items.error} retry={() => void items.refetch()} />
      ) : whole && scope !== undefined ? (
        <Nodes key={scope} snapshot={snapshot} kind={kind} scope={scope} items={items.items ?? []} />
      ) : projects.isPending || scope !== undefined ? (
        <Loading />
      ) : (
        <Empty title={t("none")}>{t("noneHint")}</Empty>
      )}
    </Section>
  );
}

async function readDocument(url: string, signal: AbortSignal): Promise<Document> {
  const { text } = await readContent(url, signal);
  const document: unknown = JSON.parse(text);
  return isDocument(document) ? document : {};
}

interface NodesProps {
  snapshot: SnapshotDetail;
  kind: string;
  scope: string;
  items: Item[];
}

function Nodes({ snapshot, kind, scope, items }: NodesProps) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const [read, tell] = useState(0);
  // Where a node belongs is in its document alone.
  const documents = useQuery({
    queryKey: ["nodes", snapshot.id, kind, scope],
    queryFn: ({ signal }) => {
      const url = ({ path }: Item) => contentUrl(snapshot.id, `${path}/${FILES[kind] ?? `${kind}.json`}`);
      return readAll(items, (item) => readDocument(url(item), signal), tell);
    },
    ...FIXED,
  });
  if (documents.error) return <Failed error={documents.error} retry={() => void documents.refetch()} />;
  if (!documents.data) return <Loading>{items.length > LEVEL && t("treeReading", { count: read, all: items.length })}</Loading>;
  if (items.length === 0) return <Empty title={t("none")}>{t("noneHint")}</Empty>;
  const roots = treeOf(items.map(({ id, name }, index) => ({ id, name, document: documents.data[index] ?? {} })));
  return (
    <Tree aria-label={title(kind)} defaultOpenItems={roots.map(({ id }) => id)}>
      <Level snapshot={snapshot} kind={kind} nodes={roots} above="" />
    </Tree>
  );
}

interface LevelProps {
  snapshot: SnapshotDetail;
  kind: string;
  nodes: TreeNode[];
  /** The id of the node that they are below. */
  above: string;
}

/** The nodes below one, the first of them first. */
function Level({ snapshot, kind, nodes, above }: LevelProps) {
  const t = useTexts("browse");
  const [most, show] = useState(LEVEL);
  const more = ({ currentTarget }: { currentTarget: Element }) => {
    const tree = currentTarget.closest('[role="tree"]');
    const next = nodes[most]?.id ?? "";
    show(most + LEVEL);
    // What was pressed may be gone: the keyboard goes on with the first of those that are new.
    requestAnimationFrame(() => tree?.querySelector<HTMLElement>(`[data-fui-tree-item-value="${CSS.escape(next)}"]`)?.focus());
  };
  return (
    <>
      {nodes.slice(0, most).map((node) => (
        <Branch key={node.id} snapshot={snapshot} kind={kind} node={node} />
      ))}
      {nodes.length > most && (
        <TreeItem itemType="leaf" value={`${above}/more`} onClick={more}>
          <TreeItemLayout>{t("treeMore", { count: nodes.length - most })}</TreeItemLayout>
        </TreeItem>
      )}
    </>
  );
}

function Branch({ snapshot, kind, node }: { snapshot: SnapshotDetail; kind: string; node: TreeNode }) {
  const t = useTexts("browse");
  const dates = node.start ? t("dates", { start: node.start.slice(0, 10), finish: node.finish?.slice(0, 10) ?? "…" }) : undefined;
  return (
    <TreeItem itemType={node.children.length > 0 ? "branch" : "leaf"} value={node.id}>
      <TreeItemLayout aside={dates}>
        <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot.id, kind, item: node.id }}>
          {node.name}
        </TextLink>
      </TreeItemLayout>
      {node.children.length > 0 && (
        <Tree>
          <Level snapshot={snapshot} kind={kind} nodes={node.children} above={node.id} />
        </Tree>
      )}
    </TreeItem>
  );
}
