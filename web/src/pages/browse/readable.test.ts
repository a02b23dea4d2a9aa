import { expect, test } from "vitest";
import { readable } from "./readable";

test("a formatted text is compared as people read it", () => {
  expect(readable("<div>One &amp; two</div><div><br></div><ul><li>a</li><li><b>b</b></li></ul>")).toBe("One & two\n• a\n• b");
});

test("images and links are told by where they lead, so that a change of it is seen", () => {
  expect(readable('<p><a href="https://a.test/x">here</a> <img src="https://a.test/i.png" alt="x"></p>')).toBe("[https://a.test/x] here [https://a.test/i.png]");
});

test("plain text stays as it is", () => {
  expect(readable("a < b && c > d\n\n  x")).toBe("a < b && c > d\n\n  x");
});

test("entities are letters, and what is none stays", () => {
  expect(readable("<b>&#228;&#xE4;&AMP;&nbsp;&unknown;&#9999999;&#0;</b>")).toBe("ää& &unknown;&#9999999;&#0;");
});
