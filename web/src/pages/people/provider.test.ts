import { expect, test } from "vitest";
import { bodyOf, cliOf, complete, draftOf, type Provider, taken } from "./provider";

const entra: Provider = {
  name: "entra",
  title: "Contoso",
  issuer: "https://login.microsoftonline.com/t/v2.0",
  client_id: "id",
  groups_claim: "roles",
  roles: { "backup-team": ["operator", "restorer"] },
  connectors: { "backup-team": ["contoso"], "CN=Boss, OU=IT": ["*"] },
  default_roles: ["viewer", "auditor"],
  scopes: ["profile"],
  tenants: ["contoso.com", "fabrikam.com"],
  domains: [],
};

test("a provider that is saved untouched stays as it is", () => {
  const { name: _, ...body } = entra;
  expect(bodyOf(draftOf(entra), entra)).toEqual(body);
});

test("of the roles of others the one that is chosen counts, and none when it is taken away", () => {
  expect(bodyOf({ ...draftOf(entra), usual: "operator" }, entra).default_roles).toEqual(["operator"]);
  expect(bodyOf({ ...draftOf(entra), usual: "" }, entra).default_roles).toEqual([]);
  expect(bodyOf({ ...draftOf(undefined), usual: "viewer" }, undefined).default_roles).toEqual(["viewer"]);
  expect(bodyOf(draftOf(undefined), undefined)).toMatchObject({ default_roles: [], groups_claim: "groups", scopes: ["profile", "email"] });
});

test("a new provider does not replace another one", () => {
  const draft = { ...draftOf(entra), secret: "s" };
  expect(complete(draft, undefined, [])).toBe(true);
  expect(complete(draft, undefined, ["entra"])).toBe(false);
  expect(taken({ ...draft, name: " entra " }, undefined, ["entra"])).toBe(true);
  expect(complete(draft, entra, ["entra"])).toBe(true);
  expect(complete({ ...draft, groups: "no sign" }, entra, ["entra"])).toBe(false);
  expect(complete({ ...draft, reach: "no sign" }, entra, ["entra"])).toBe(false);
  expect(complete({ ...draft, issuer: " " }, entra, ["entra"])).toBe(false);
});

test("on the command line every group has each of its roles and connectors, and the secret is in a file", () => {
  const { name, ...body } = { ...entra, tenants: ["t"] };
  const asked = ["identity-provider", "set", "entra", "--title", "Contoso", "--issuer", "https://login.microsoftonline.com/t/v2.0", "--client-id", "id"];
  expect(cliOf(name, body, true)).toEqual([
    ...asked,
    ...["--client-secret-file", "FILE"],
    ...["--role", "backup-team=operator", "--role", "backup-team=restorer"],
    ...["--reach", "backup-team=contoso", "--reach", "CN=Boss, OU=IT=*"],
    ...["--default-role", "viewer", "--default-role", "auditor"],
    ...["--tenant", "t", "--groups-claim", "roles", "--scope", "profile"],
  ]);
  expect(cliOf("entra", { ...body, scopes: [] }, false).slice(-2)).toEqual(["--scope", ""]);
  expect(cliOf("entra", body, false)).not.toContain("--client-secret-file");
});
