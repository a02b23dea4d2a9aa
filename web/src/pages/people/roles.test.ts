import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allowed, PERMISSIONS, ROLES, superfluous } from "./roles";

const at = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

test("roles add up", () => {
  expect(allowed(["viewer"])).toEqual(["read-status"]);
  expect(allowed(["restorer", "auditor"])).toEqual(["read-status", "read-content", "restore", "read-audit"]);
  expect(allowed(["admin"])).toEqual([...PERMISSIONS]);
  expect(allowed([])).toEqual([]);
  expect(allowed(["owner"])).toEqual([]);
});

test("a role that another one includes is told", () => {
  expect(superfluous(["viewer", "operator"])).toEqual(["viewer"]);
  expect(superfluous(["operator", "restorer"])).toEqual([]);
  expect(superfluous(["viewer"])).toEqual([]);
  expect(superfluous(["admin", "auditor", "restorer"])).toEqual(["restorer", "auditor"]);
});

test("every permission that the interface asks for has its words here", () => {
  const asked = new Set(at("docs/reference/openapi.json").match(/(?<="x-permission": ")[a-z-]+/g));
  asked.delete("own");
  expect(asked.size).toBeGreaterThan(5);
  expect([...asked].filter((permission) => !PERMISSIONS.some((known) => known === permission))).toEqual([]);
});

test("each role allows what the server's does", () => {
  const source = at("crates/model/src/access.rs");
  const kebab = (name: string) => name.replace(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
  for (const role of ROLES.filter((one) => one !== "admin")) {
    const name = role.charAt(0).toUpperCase() + role.slice(1);
    const arm = new RegExp(`Self::${name} => matches!\\(\\s*permission,([^)]*)\\)`).exec(source)?.[1] ?? "";
    const server = [...arm.matchAll(/P::(\w+)/g)].map(([, permission = ""]) => kebab(permission));
    expect(server.filter((permission) => permission !== "own").toSorted(), role).toEqual(allowed([role]).toSorted());
  }
});
