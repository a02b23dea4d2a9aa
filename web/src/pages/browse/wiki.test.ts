import { expect, test } from "vitest";
import { pagesOf, pageTitle, plainMarkdown, resolvePage, resolvePath } from "./wiki";

const file = (name: string) => ({ name, type: "file" });
const folder = (name: string) => ({ name, type: "folder" });

test("pages stand in the order of the file, others behind them by name", () => {
  const pages = pagesOf("", [file("Zoo.md"), file("About.md"), file("Home.md"), folder("Home"), file(".order"), folder(".attachments"), file("image.png")], "Zoo\r\nHome\nNowhere\n");
  expect(pages).toEqual([
    { title: "Zoo", path: "Zoo", hasText: true, hasPages: false },
    { title: "Home", path: "Home", hasText: true, hasPages: true },
    { title: "About", path: "About", hasText: true, hasPages: false },
  ]);
});

test("a folder without a page is a place of its own", () => {
  expect(pagesOf("docs", [folder("Old-things")], "")).toEqual([{ title: "Old things", path: "docs/Old-things", hasText: false, hasPages: true }]);
});

test("names are decoded as the wiki encodes them", () => {
  expect(["How%2Dto-guides", "Build%3A-first-steps", "100%-sure", "概要"].map(pageTitle)).toEqual(["How-to guides", "Build: first steps", "100% sure", "概要"]);
});

test("links are found from the page's folder or from the wiki's top, and never above it", () => {
  expect(resolvePath("docs", "docs/Start", "/Details")).toBe("docs/Details");
  expect(resolvePath("", "Home", "/.attachments/bild%20gr%C3%B6%C3%9Fe.png")).toBe(".attachments/bild größe.png");
  expect(resolvePath("", "Guides/Release", "./Steps#now")).toBe("Guides/Steps");
  expect(resolvePath("", "Guides/Release", "../Home")).toBe("Home");
  expect(resolvePath("", "Home", "../../etc/passwd")).toBeUndefined();
  for (const address of ["https://evil.test", "javascript:alert(1)", "//evil.test/x", "#part", ""]) expect(resolvePath("", "Home", address)).toBeUndefined();
});

test("a link to a page names its file", () => {
  const targets = ["/How%2Dto-guides/Release", "Home.md", "./b%20c#part", "mailto:a@b"];
  expect(targets.map((target) => resolvePage("", "a/Page", target))).toEqual(["How%2Dto-guides/Release", "a/Home", "a/b-c", undefined]);
});

test("what only the wiki's own Markdown knows is made plain", () => {
  expect(plainMarkdown("![d](/.attachments/d.png =100x)\n[[_TOC_]]\n\n::: mermaid\ngraph\n:::\n")).toBe("![d](/.attachments/d.png)\n\n\n```mermaid\ngraph\n```\n");
  expect(plainMarkdown("![d](/.attachments/a b.png)")).toBe("![d](</.attachments/a b.png>)");
});
