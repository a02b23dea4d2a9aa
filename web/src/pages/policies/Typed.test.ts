import { expect, test } from "vitest";
import { rate, whole } from "./draft";
import { fits } from "./Typed";

test("what is no number is not taken for none: a rule would be gone with a slip of the finger", () => {
  for (const text of ["3O", "30d", "-1", "12.5", "1e3", "99999999999"]) expect([text, fits(text, "whole")]).toEqual([text, false]);
  for (const text of ["", " 30 ", "0", "0030"]) expect([text, fits(text, "whole")]).toEqual([text, true]);
  for (const text of ["fast", "-1", "1.2.3", "1e3"]) expect([text, fits(text, "decimal")]).toEqual([text, false]);
  for (const text of ["", "12", "0,5", "0.5", "1."]) expect([text, fits(text, "decimal")]).toEqual([text, true]);
  expect([whole(" 30 ", 0), rate("0,5")]).toEqual([30, 500_000]);
});
