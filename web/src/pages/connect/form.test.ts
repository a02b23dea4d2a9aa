import { expect, test } from "vitest";
import type { WizardView } from "./data";
import { firstPick, formOf, placed, requestOf } from "./form";
import { NOTHING_GIVEN } from "./way";
import { kindOf, type Kind } from "./types";

const devops = kindOf("azure-devops") as Kind;
const part = kindOf("documentation") as Kind;
const tenant = kindOf("microsoft-365") as Kind;
const wizard = (...organizations: string[]) => ({ organizations: organizations.map((organization) => ({ organization })) }) as WizardView;

test("the name follows the organization until somebody chooses another", () => {
  const empty = formOf(devops, undefined, NOTHING_GIVEN, []);
  const typed = { ...empty, ...placed(devops, empty, "contoso", []) };
  expect(typed).toMatchObject({ place: "contoso", name: "contoso" });
  expect(placed(devops, typed, "fabrikam", ["fabrikam"])).toEqual({ place: "fabrikam", name: "fabrikam-2" });
  expect(placed(devops, typed, "no such place", [])).toEqual({ place: "no such place", name: "" });
  expect(placed(devops, { ...typed, name: "mine" }, "fabrikam", [])).toEqual({ place: "fabrikam" });
});

test("a page that is loaded anew keeps the name that was chosen, and a new form takes none from its address", () => {
  const resumed = { ...wizard("contoso"), organization: "contoso" };
  expect(formOf(devops, resumed, NOTHING_GIVEN, [], "mine").name).toBe("mine");
  expect(formOf(devops, resumed, NOTHING_GIVEN, ["contoso"]).name).toBe("contoso-2");
  expect(formOf(devops, undefined, NOTHING_GIVEN, [], "mine").name).toBe("");
});

test("what was named is connected, or the only one that was found", () => {
  const empty = formOf(devops, undefined, NOTHING_GIVEN, []);
  expect(firstPick(devops, { ...empty, place: "https://dev.azure.com/contoso" }, wizard("fabrikam"), [])).toEqual({ organization: "contoso", name: "contoso" });
  expect(firstPick(devops, empty, wizard("fabrikam"), ["fabrikam"])).toEqual({ organization: "fabrikam", name: "fabrikam-2" });
  expect(firstPick(devops, empty, wizard("fabrikam", "contoso"), [])).toBeUndefined();
  expect(firstPick(devops, empty, wizard(), [])).toBeUndefined();
});

test("of an address of a repository the whole address is connected, by the name of its organization", () => {
  const place = "https://dev.azure.com/contoso/Main/_git/Docs";
  const form = { ...formOf(part, undefined, NOTHING_GIVEN, []), place };
  expect(firstPick(part, form, wizard(), [])).toEqual({ organization: place, name: "contoso" });
});

test("the request holds what the method needs, and nothing of another", () => {
  const form = { ...formOf(devops, undefined, { ...NOTHING_GIVEN, profile: "profile" }, []), place: " contoso ", different: true };
  expect(requestOf(devops, form)).toEqual({
    service: "azure-devops",
    organization: "contoso",
    choose_account: true,
    method: "user",
    flow: "code",
    app_profile: "profile",
  });
  const token = { ...form, identity: { ...form.identity, method: "pat", secret: "s" } };
  expect(requestOf(devops, token)).toEqual({ service: "azure-devops", organization: "contoso", method: "pat", identity: { method: "pat", secret: "s" } });
  const stored = { ...token, identity: { ...token.identity, stored: "kept" } };
  expect(requestOf(devops, stored)).toEqual({ service: "azure-devops", organization: "contoso", method: "stored", credential: "kept" });
});

test("a person's tenant is the one of the account", () => {
  const form = { ...formOf(tenant, undefined, NOTHING_GIVEN, []), place: "contoso.example" };
  expect(requestOf(tenant, form)).not.toHaveProperty("organization");
  const app = { ...form, identity: { ...form.identity, method: "certificate" } };
  expect(requestOf(tenant, app)).toHaveProperty("organization", "contoso.example");
});

test("a wizard that goes on has its organization and its method in the form", () => {
  const resumed = { method: "client-secret", organization: "contoso" } as WizardView;
  expect(formOf(devops, resumed, NOTHING_GIVEN, ["contoso"])).toMatchObject({ name: "contoso-2", place: "contoso", identity: { method: "client-secret" } });
  expect(formOf(devops, { ...resumed, method: "stored" }, NOTHING_GIVEN, [])).toMatchObject({ identity: { method: "user" } });
  expect(formOf(part, undefined, NOTHING_GIVEN, [])).toMatchObject({ identity: { method: "pat" } });
});
