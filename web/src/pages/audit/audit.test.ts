import { expect, test } from "vitest";
import { placeOf } from "./subject";
import { fromField, toField } from "./times";

test("an entry leads to what it is about", () => {
  expect(placeOf("connector/contoso")).toEqual({ to: "/connectors/$name", params: { name: "contoso" } });
  expect(placeOf("run/01a2")).toEqual({ to: "/runs/$id", params: { id: "01a2" } });
  expect(placeOf("restore-plan/01a2")).toEqual({ to: "/restore/$id", params: { id: "01a2" } });
  expect(placeOf("credential/storage main/x")).toEqual({ to: "/vault/$name", params: { name: "storage main/x" } });
  expect(placeOf("setting/four-eyes")).toEqual({ to: "/settings" });
});

test("what has no page, and what is called like a member of every object, leads nowhere", () => {
  for (const subject of ["session", "connector", "", "constructor/x", "toString"]) expect(placeOf(subject)).toBeUndefined();
});

test("a time comes back from its field to the minute", () => {
  for (const time of ["2026-11-22T10:00:00.000Z", "2026-03-29T00:30:00.000Z"]) expect(fromField(toField(time))).toBe(time);
  expect(toField("yesterday")).toBe("");
  expect(toField(undefined)).toBe("");
  expect(fromField("")).toBeUndefined();
});
