import MarkdownIt from "markdown-it";

// Whoever writes a comment must not stop the page for whoever reads it: this parser's time grows with the length of a text, and it bounds
// how deep things lie in one another.
const parser = new MarkdownIt({ html: true, linkify: true });

/** `[ ]` and `[x]` at the start of a list's item are boxes, as on GitHub and in Azure DevOps. */
parser.core.ruler.after("inline", "tasks", ({ tokens, Token }) => {
  for (const [at, token] of tokens.entries()) {
    if (token.type !== "inline" || tokens[at - 2]?.type !== "list_item_open") continue;
    const first = token.children?.[0];
    const box = first?.type === "text" ? /^\[([ xX])\]\s/.exec(first.content) : null;
    if (!first || !box) continue;
    first.content = first.content.slice(box[0].length - 1);
    const input = new Token("html_inline", "", 0);
    input.content = `<input type="checkbox" disabled${box[1] === " " ? "" : " checked"}>`;
    token.children?.unshift(input);
  }
});

/** Markdown as GitHub writes it, as HTML that is not cleansed yet. */
export function toHtml(text: string): string {
  return parser.render(text);
}
