import { createSourceFile, forEachChild, isArrayLiteralExpression, isCallExpression, isConditionalExpression, isIdentifier, isParenthesizedExpression, isPropertyAssignment, isStringLiteralLike, isTemplateExpression, isVariableDeclaration, ScriptTarget, type Expression, type Node, type PropertyAssignment, type SourceFile } from "typescript";
import i18next from "i18next";
import { expect, test } from "vitest";
import "./components/kinds";
import "./texts";

const sources = import.meta.glob<string>(["./**/*.{ts,tsx}", "!./**/*.test.*", "!./api/**"], { query: "?raw", import: "default", eager: true });
import.meta.glob("./pages/*/texts.ts", { eager: true });

/** A use of texts: the pattern of the keys that are asked for, of which one has to be there. */
interface Use {
  area: string;
  keys: RegExp[];
  at: string;
}

const exact = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** The patterns of keys that an expression can be; none if it takes more than its words to know. */
function patterns(one: Expression): string[] {
  if (isStringLiteralLike(one)) return [exact(one.text)];
  if (isTemplateExpression(one)) return [exact(one.head.text) + one.templateSpans.map((span) => `.+${exact(span.literal.text)}`).join("")];
  if (isParenthesizedExpression(one)) return patterns(one.expression);
  if (isConditionalExpression(one)) return [...patterns(one.whenTrue), ...patterns(one.whenFalse)];
  if (isArrayLiteralExpression(one)) return one.elements.flatMap(patterns);
  return [];
}

function each(node: Node, see: (node: Node) => void) {
  see(node);
  forEachChild(node, (child) => each(child, see));
}

/** Which names stand for the texts of which area in a block: `const t = useTexts("area")`. */
function names(source: SourceFile): Map<Node, Record<string, string>> {
  const found = new Map<Node, Record<string, string>>();
  each(source, (node) => {
    if (!isVariableDeclaration(node) || !node.initializer || !isCallExpression(node.initializer)) return;
    if (node.initializer.expression.getText() !== "useTexts") return;
    const [area] = node.initializer.arguments;
    const block = node.parent.parent.parent;
    found.set(block, { ...found.get(block), [node.name.getText()]: area && isStringLiteralLike(area) ? area.text : "common" });
  });
  return found;
}

function uses(path: string, text: string): Use[] {
  const source = createSourceFile(path, text, ScriptTarget.Latest, true);
  const folder = /^\.\/pages\/([^/]+)/.exec(path)?.[1] ?? "common";
  const named = names(source);
  // `t` that is passed along has the texts of the folder.
  const areaOf = (node: Node, name: string): string | undefined => named.get(node)?.[name] ?? (node.parent ? areaOf(node.parent, name) : name === "t" ? folder : undefined);
  // A key that is kept in a variable is some string of the file.
  const strings: string[] = [];
  each(source, (node) => {
    if (isPropertyAssignment(node.parent ?? node) && (node.parent as PropertyAssignment).name === node) return;
    if (isStringLiteralLike(node) || (isTemplateExpression(node) && node.head.text !== "")) strings.push(...patterns(node));
  });
  const found: Use[] = [];
  each(source, (node) => {
    if (!isCallExpression(node) || !isIdentifier(node.expression)) return;
    const area = areaOf(node, node.expression.text);
    const [key] = node.arguments;
    if (area === undefined || !key) return;
    const known = patterns(key);
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ area, keys: (known.length > 0 ? known : strings).map((one) => new RegExp(`^${one}(_zero|_one|_other)?(\\.\\d+)?$`)), at: `${path}:${line}` });
  });
  return found;
}

function leaves(texts: unknown, under = ""): string[] {
  if (typeof texts !== "object" || texts === null) return [under.slice(0, -1)];
  return Object.entries(texts).flatMap(([key, one]) => leaves(one, `${under}${key}.`));
}

const areas = new Map(Object.entries(i18next.store.data["en"] ?? {}).map(([area, texts]) => [area, leaves(texts)]));
const all = Object.entries(sources).flatMap(([path, text]) => uses(path, text));
const within = (area: string, key: RegExp) => (areas.get(area) ?? []).filter((one) => key.test(one));

test("every text that is asked for is there", () => {
  expect(all.length).toBeGreaterThan(1000);
  const missing = all.filter(({ area, keys }) => !keys.some((key) => within(area, key).length + within("common", key).length > 0));
  expect(missing.map(({ area, keys, at }) => `${at} ${area} ${keys.join(" ")}`)).toEqual([]);
});

test("every text is asked for", () => {
  const asked = new Set(
    all.flatMap(({ area, keys }) =>
      keys.flatMap((key) => {
        const own = within(area, key).map((one) => `${area} ${one}`);
        return own.length > 0 ? own : within("common", key).map((one) => `common ${one}`);
      }),
    ),
  );
  const dead = [...areas].flatMap(([area, keys]) => keys.map((key) => `${area} ${key}`)).filter((one) => !asked.has(one));
  expect(dead).toEqual([]);
});
