import { expect, test } from "vitest";
import { spaced } from "./spaced";

test("a key is the same without its blanks", () => {
  expect(spaced("JBSWY3DPEHPK3PXP")).toBe("JBSW Y3DP EHPK 3PXP");
  expect(spaced("JBSWY")).toBe("JBSW Y");
  expect(spaced("")).toBe("");
});
