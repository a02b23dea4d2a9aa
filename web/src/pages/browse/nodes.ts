import { type Document, textAt } from "./records";

/** An area or iteration with those below it. */
export interface TreeNode {
  id: string;
  name: string;
  start?: string;
  finish?: string;
  children: TreeNode[];
}

/** The steps of `\Shop\Area\Web\Cart`, without the one that names the tree. */
export function stepsOf(path: string): string[] {
  const [project, , ...below] = path.split("\\").filter((step) => step !== "");
  return project === undefined ? [] : [project, ...below];
}

/** A project's areas or iterations as a tree. A node whose parent is not there stands at the top, so that none is lost. */
export function treeOf(documents: { id: string; name?: string; document: Document }[]): TreeNode[] {
  const nodes = documents.map(({ id, name, document }) => {
    const [start, finish] = [textAt(document, "/attributes/startDate"), textAt(document, "/attributes/finishDate")];
    const node: TreeNode = { id, name: textAt(document, "/name") ?? name ?? id, children: [], ...(start && { start }), ...(finish && { finish }) };
    return { node, steps: stepsOf(textAt(document, "/path") ?? "") };
  });
  const key = (steps: string[]) => steps.join("\\").toLowerCase();
  const places = new Map(nodes.map((one) => [key(one.steps), one.node]));
  const roots: TreeNode[] = [];
  for (const { node, steps } of nodes) {
    const parent = steps.length > 1 ? places.get(key(steps.slice(0, -1))) : undefined;
    (parent && parent !== node ? parent.children : roots).push(node);
  }
  const sort = (level: TreeNode[]) => {
    // Iterations stand in the order of time, areas by name.
    level.sort((one, other) => (one.start ?? "").localeCompare(other.start ?? "") || one.name.localeCompare(other.name, undefined, { numeric: true }));
    for (const node of level) sort(node.children);
  };
  sort(roots);
  return roots;
}
