import { expect, test } from "vitest";
import { Problem } from "../../api/problem";
import { countWrong, wrongAt } from "./editing";

const refused = (...errors: { pointer: string; detail: string }[]) =>
  new Problem({ type: "urn:keepward:request-refused", title: "", status: 422, detail: "", code: "request-refused", errors });

test("what is wrong is told at its field, also inside a list and inside the document of a change", () => {
  const at = wrongAt(
    undefined,
    refused({ pointer: "/connectors/1", detail: "it is empty" }, { pointer: "/connectors/2", detail: "it is empty" }),
    refused({ pointer: "/policy/schedule/when/at", detail: "no time" }),
  );
  expect(at("/connectors").validationMessage).toBe("it is empty");
  expect(at("/schedule/when/at")).toEqual({ validationState: "error", validationMessage: "no time" });
  expect(at("/schedule/when")).toMatchObject({ validationMessage: "no time" });
  expect(at("/name")).toEqual({});
  expect(at("/connector")).toEqual({});
});

test("a refusal without fields marks none", () => {
  expect(wrongAt(new Error("x"), null)("/name")).toEqual({});
  expect([countWrong(null), countWrong(refused({ pointer: "/a", detail: "b" }))]).toEqual([0, 1]);
});
