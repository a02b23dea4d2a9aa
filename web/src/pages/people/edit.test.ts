import { expect, test } from "vitest";
import { cliOf, editOf } from "./edit";

test("only what was changed of an account is sent", () => {
  const eve = { roles: ["admin", "viewer"], connectors: ["contoso"] };
  expect(editOf(eve, ["viewer", "admin"], ["contoso"])).toEqual({});
  expect(editOf(eve, ["viewer", "admin"], null)).toEqual({ connectors: null });
  expect(editOf(eve, ["viewer"], ["contoso"])).toEqual({ roles: ["viewer"] });
  expect(editOf({ roles: ["viewer"] }, ["viewer"], null)).toEqual({});
  expect(editOf({ roles: ["viewer"] }, ["viewer"], ["contoso"])).toEqual({ connectors: ["contoso"] });
});

test("the command says the same", () => {
  expect(cliOf("eve", { roles: ["viewer", "auditor"] })).toEqual(["user", "edit", "eve", "--role", "viewer", "--role", "auditor"]);
  expect(cliOf("eve", { connectors: null })).toEqual(["user", "edit", "eve", "--all-connectors"]);
  expect(cliOf("eve", { connectors: ["contoso"] })).toEqual(["user", "edit", "eve", "--connector", "contoso"]);
});
