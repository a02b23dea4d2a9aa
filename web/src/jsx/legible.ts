import { type ElementType, isValidElement, type ReactElement, type ReactNode } from "react";
import { jsx } from "react/jsx-runtime";
import { Marked } from "../components/Marked";
import { hasUnseen, shown } from "../components/unseen";

type Props = Record<string, unknown>;

/** Attributes that people read or hear. */
const SPOKEN = ["alt", "aria-description", "aria-label", "content", "hint", "label", "placeholder", "title"];
/** Elements in which no more than text can stand. */
const PLAIN: unknown[] = ["option", "textarea", "title"];

function legibleNode(node: ReactNode, plain: boolean): ReactNode {
  if (typeof node === "string") {
    if (!hasUnseen(node)) return node;
    return plain ? shown(node) : (jsx(Marked, { text: node }) as ReactElement);
  }
  if (!Array.isArray(node)) return node;
  const nodes = node as ReactNode[];
  const made = nodes.map((one) => (isValidElement(one) ? one : legibleNode(one, plain)));
  return made.some((one, index) => one !== nodes[index]) ? made : node;
}

/**
 * What an element is made of, with no character in it that cannot be seen: names, titles and texts come from organizations in which anybody may
 * have written them, and one that looks like another is how people are led to restore the wrong thing. It holds for every text on every page,
 * since all elements are made here (`jsxImportSource`).
 */
export function legible(type: ElementType, props: unknown): unknown {
  const given = props as Props;
  let made: Props | undefined;
  for (const name of SPOKEN) {
    const words = given[name];
    if (typeof words === "string" && hasUnseen(words)) made = { ...(made ?? given), [name]: shown(words) };
  }
  const children = given["children"] as ReactNode;
  const read = legibleNode(children, PLAIN.includes(type));
  if (read !== children) made = { ...(made ?? given), children: read };
  return made ?? given;
}
