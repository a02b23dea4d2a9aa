import { expect, test } from "vitest";
import { toHtml } from "./markdown";

test("tables, tasks, code, bare addresses and HTML are what they are on GitHub", () => {
  const html = toHtml("# Plan\n\n- [ ] open\n- [x] done\n\n| a | b |\n|---|:-:|\n| 1 | ~~2~~ |\n\n```rust\nlet a = 1;\n```\n\nhttps://example.org/a <b>bold</b>");
  expect(html).toContain("<h1>Plan</h1>");
  expect(html).toContain('<li><input type="checkbox" disabled> open</li>');
  expect(html).toContain('<li><input type="checkbox" disabled checked> done</li>');
  expect(html).toMatch(/<th>a<\/th>[^]*<td>1<\/td>[^]*<s>2<\/s>/);
  expect(html).toContain('<code class="language-rust">let a = 1;');
  expect(html).toContain('<a href="https://example.org/a">');
  expect(html).toContain("<b>bold</b>");
});

test("a box stands for itself outside of lists", () => {
  expect(toHtml("[x] no task")).not.toContain("<input");
  expect(toHtml("- a [x] no task")).not.toContain("<input");
});

const hostile = {
  emphasis: "*a_".repeat(20_000),
  quotes: `${"> ".repeat(5_000)}a`,
  brackets: "[".repeat(50_000),
  links: "[a](".repeat(20_000),
  images: "![[]()".repeat(20_000),
  lists: Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth * 2)}- a`).join("\n"),
  code: Array.from({ length: 2_000 }, (_, many) => `e${"`".repeat(many)}`).join(""),
  addresses: "http://".repeat(30_000),
  comments: "<!--".repeat(50_000),
  tags: "<a ".repeat(50_000),
};

for (const [name, text] of Object.entries(hostile)) {
  test(`no text keeps a page busy: ${name}`, { timeout: 10_000 }, () => {
    expect(toHtml(text).length).toBeGreaterThan(0);
  });
}
