import { expect, test } from "vitest";
import { isName, isServer, parseOrganization, parsePart, parseTenant, suggestName } from "./address";

const organization = (text: string) => {
  const parsed = parseOrganization(text);
  return "ok" in parsed ? parsed.ok.organization : undefined;
};

test("SRE-05 SRE-07 names that fit", () => {
  for (const name of ["ado-contoso", "my-org-connector", "abc", "a".repeat(32), "trailing-"]) expect(isName(name)).toBe(true);
});

test("SRE-06 names that do not", () => {
  const names = ["ab", "a".repeat(33), "1abc", "-abc", "a_bc", "a.bc", "a bc", "äbc", "abcé", "", " abc"];
  for (const name of names) expect(isName(name), name).toBe(false);
});

test("SRE-09 an organization is taken from its name or address", () => {
  const texts = [
    "contoso",
    " contoso ",
    "https://dev.azure.com/contoso",
    "https://dev.azure.com/contoso/",
    "HTTPS://DEV.AZURE.COM/contoso",
    "https://contoso.visualstudio.com/",
    "https://contoso.visualstudio.com/DefaultCollection",
    "https://dev.azure.com/contoso/_settings/users",
  ];
  for (const text of texts) expect(organization(text), text).toBe("contoso");
});

test("SRE-10 SRE-11 what an organization may be called", () => {
  for (const text of ["c", "7", "contoso", "con-toso-2", "a".repeat(50)]) expect(organization(text), text).toBe(text);
  for (const text of ["-contoso", "contoso-", "con_toso", "con.toso", "con toso", "", "a".repeat(51)]) {
    expect(organization(text), text).toBeUndefined();
  }
});

test("SRE-35 SRE-36 SRE-37 repositories and wikis, with blanks and slashes at the end", () => {
  const repository = (project: string, name: string) => ({ kind: "repository", project, name });
  const table: [string, object][] = [
    ["https://dev.azure.com/contoso/Fiber/_git/api", repository("Fiber", "api")],
    ["https://contoso@dev.azure.com/contoso/Fiber/_git/api/", repository("Fiber", "api")],
    ["https://contoso.visualstudio.com/Fiber/_git/api", repository("Fiber", "api")],
    ["https://contoso.visualstudio.com/DefaultCollection/Fiber/_git/api", repository("Fiber", "api")],
    ["https://dev.azure.com/contoso/My%20Project/_git/My%20Repo", repository("My Project", "My Repo")],
    ["https://dev.azure.com/contoso/_git/Fiber", repository("Fiber", "Fiber")],
    ["https://dev.azure.com/contoso/Fiber/_git/api?path=%2FREADME.md&version=GBmain", repository("Fiber", "api")],
    ["https://dev.azure.com/contoso/Fiber/_wiki/wikis/Fiber.wiki", { kind: "wiki", project: "Fiber", name: "Fiber.wiki" }],
    ["https://contoso.visualstudio.com/Fiber/_wiki/wikis/w/12/Home?a=b", { kind: "wiki", project: "Fiber", name: "w" }],
  ];
  for (const [text, part] of table) expect(parsePart(text), text).toEqual({ ok: { organization: "contoso", part } });
});

test("SRE-38 other addresses are refused, and each says why", () => {
  const table: [string, string][] = [
    ["http://dev.azure.com/contoso/Fiber/_git/api", "scheme"],
    ["https://github.com/contoso/api", "host"],
    ["https://dev.azure.com.evil.example/contoso/Fiber/_git/api", "host"],
    ["https://contoso.visualstudio.com.evil.example/Fiber/_git/api", "host"],
    ["https://evilvisualstudio.com/Fiber/_git/api", "host"],
    ["https://dev.azure.com@evil.example/contoso", "host"],
    ["https://dev.azure.com:8443/contoso", "host"],
    ["https://me:token@dev.azure.com/contoso", "password"],
    ["https://dev.azure.com/", "organizationMissing"],
    ["https://dev.azure.com/contoso/Fiber/_git", "repositoryMissing"],
    ["https://dev.azure.com/contoso/Fiber/_git/", "repositoryMissing"],
    ["https://dev.azure.com/contoso/Fiber/_wiki/wikis/", "wikiMissing"],
    ["https://dev.azure.com/contoso/a%2F..%2Fb/_git/api", "names"],
    ["https://dev.azure.com/contoso/Fiber/_git/%00", "names"],
    ["https://dev.azure.com/contoso/Fiber/_git/%FF", "names"],
    ["https://dev.azure.com/contoso", "part"],
    ["contoso", "part"],
    ["ssh://git@ssh.dev.azure.com/v3/contoso/Fiber/api", "scheme"],
    ["", "empty"],
  ];
  for (const [text, fault] of table) expect(parsePart(text), text).toEqual({ fault });
});

test("a tenant is named by a domain or by its id", () => {
  expect(parseTenant(" Contoso.onmicrosoft.com ")).toEqual({ ok: { organization: "contoso.onmicrosoft.com" } });
  expect(parseTenant("0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa")).toHaveProperty("ok");
  for (const text of ["contoso", "https://contoso.com", "a/b.com", ".com", "a.", "common"]) {
    expect(parseTenant(text), text).toEqual({ fault: "tenant" });
  }
});

test("an Azure DevOps Server has an address with its protocol, and no secret in it", () => {
  for (const text of ["https://tfs.example.com/tfs", "http://tfs:8080"]) expect(isServer(text)).toBe(true);
  for (const text of ["tfs.example.com", "ftp://tfs", "https://me:pat@tfs", "https://tfs/?a=b", ""]) expect(isServer(text)).toBe(false);
});

test("suggested names fit, and none is taken", () => {
  expect(suggestName("contoso")).toBe("contoso");
  expect(suggestName("contoso.onmicrosoft.com")).toBe("contoso-onmicrosoft-com");
  expect(suggestName("contoso", ["Contoso", "contoso-2"])).toBe("contoso-3");
  for (const text of ["7", "c", "42-x", "a".repeat(50), "0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa"]) expect(isName(suggestName(text)), text).toBe(true);
});
