import { expect, test } from "vitest";
import { type Kind, withRows } from "./kinds";

const kind = (id: string, within?: string): Kind => ({ id, title: id, service: "azure-devops", chosen: false, losses: [], restore: "full", ...(within && { within }) });
const KINDS = [kind("work-item"), kind("work-item-comment", "work-item"), kind("team")];

test("a kind whose items are parts of others is offered nowhere to be chosen: it has no rows", () => {
  expect(withRows(["work-item", "work-item-comment", "team"], KINDS)).toEqual(["work-item", "team"]);
});

test("a kind that this server does not know may have rows", () => {
  expect(withRows(["test-plan", "work-item"], KINDS)).toEqual(["test-plan", "work-item"]);
});
