import { expect, test } from "vitest";
import { hasUnseen, partsOf, shown } from "./unseen";

test("what turns a name around is told by its code, and the name stands in the order of its letters", () => {
  expect(shown("invoice\u202Efdp.exe")).toBe("invoice<U+202E>fdp.exe");
  expect(partsOf("a\u200bb")).toEqual([{ text: "a" }, { code: "U+200B" }, { text: "b" }]);
  expect(shown("\u{e0041}x\u0007")).toBe("<U+E0041>x<U+0007>");
});

test("the writing of other languages, emoji and lines stay as they are", () => {
  for (const text of ["مستودع", "می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "one\ttwo\nthree\r\n", "Größe – “3”"]) {
    expect(hasUnseen(text)).toBe(false);
    expect(shown(text)).toBe(text);
  }
});

test("a joiner between letters that join nothing makes two names of one", () => {
  expect(shown("pay\u200droll")).toBe("pay<U+200D>roll");
  expect(shown("\u200cpayroll")).toBe("<U+200C>payroll");
});
