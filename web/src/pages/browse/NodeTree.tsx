import { Button, Tree, TreeItem, TreeItemLayout } from "@fluentui/react-components";
import { useQueries } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Schemas } from "../../api/client";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { useKindTitle } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { Empty, Failed, Loading } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { contentUrl, FIXED, readContent } from "./content";
import { treeOf, type TreeNode } from "./nodes";
import { useProjects } from "./projects";
import { type Document, isDocument } from "./records";
import type { SnapshotDetail } from "./snapshot";

// Each node's document is read for its place in the tree.
const MOST = 400;

const FILES: Record<string, string> = { area: "area.json", iteration: "iteration.json" };

/** The areas or iterations of a project, as a tree. */
export function NodeTree({ snapshot, kind }: { snapshot: SnapshotDetail; kind: string }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const [shown, show] = useShown();
  const projects = useProjects(snapshot);
  const scope = shown["project"] ?? projects.options[0]?.value;
  const params = { path: { id: snapshot.id }, query: { kind, limit: 200, ...(scope !== undefined && { scope }) } };
  const items = usePaged("/snapshots/{id}/items", params, { enabled: scope !== undefined, ...FIXED });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = items;
  const wanted = hasNextPage && !isFetchingNextPage && (items.items?.length ?? 0) < MOST;
  useEffect(() => {
    if (wanted) void fetchNextPage();
  }, [wanted, fetchNextPage]);
  const whole = items.items !== undefined && !items.hasNextPage;
  return (
    <Section title={title(kind)} actions={<Button onClick={() => show({ as: "list", project: scope })}>{t("asList")}</Button>}>
      <Filters>
        <FilterSelect label={t("project")} value={scope} options={projects.options} onChange={(value) => show({ project: value })} />
      </Filters>
      {items.error ? (
        <Failed error={items.error} retry={() => void items.refetch()} />
      ) : whole ? (
        <Nodes snapshot={snapshot} kind={kind} items={items.items ?? []} />
      ) : (items.items?.length ?? 0) >= MOST ? (
        <Empty title={t("treeTooLarge")} action={<Button onClick={() => show({ as: "list", project: scope })}>{t("asList")}</Button>} />
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

function Nodes({ snapshot, kind, items }: { snapshot: SnapshotDetail; kind: string; items: Schemas["ItemView"][] }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const documents = useQueries({
    queries: items.map(({ path }) => {
      const url = contentUrl(snapshot.id, `${path}/${FILES[kind] ?? `${kind}.json`}`);
      return { queryKey: ["document", url], queryFn: ({ signal }: { signal: AbortSignal }) => readDocument(url, signal), ...FIXED };
    }),
  });
  const failed = documents.find(({ error }) => error);
  if (failed) return <Failed error={failed.error} retry={() => void failed.refetch()} />;
  if (documents.some(({ data }) => !data)) return <Loading />;
  if (items.length === 0) return <Empty title={t("none")}>{t("noneHint")}</Empty>;
  const roots = treeOf(items.map(({ id }, index) => ({ id, document: documents[index]?.data ?? {} })));
  return (
    <Tree aria-label={title(kind)} defaultOpenItems={roots.map(({ id }) => id)}>
      {roots.map((node) => (
        <Branch key={node.id} snapshot={snapshot} kind={kind} node={node} />
      ))}
    </Tree>
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
          {node.children.map((child) => (
            <Branch key={child.id} snapshot={snapshot} kind={kind} node={child} />
          ))}
        </Tree>
      )}
    </TreeItem>
  );
}
