import type { Locator } from "playwright-core";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { accept, desk } from "./support/desk";
import { Person } from "./support/person";
import { snapshotOf } from "./support/protected";

const at = desk();
const TENANT = "contoso.onmicrosoft.com";
let pat: string;

beforeAll(async () => {
  ({ pat } = (await at.world.simulate("/__organizations", { name: "adventure-works" })) as { pat: string });
});
beforeEach(async () => {
  await at.world.connect(at.token, "contoso");
  await at.world.connect(at.token, "works", { organization: "adventure-works", pat });
});

/** Which of the two a list tells of. */
async function listed({ page }: Person, path: string): Promise<string[]> {
  await page.goto(path);
  await page.getByRole("table").first().getByRole("row").nth(1).waitFor();
  const rows = await page.getByRole("table").first().getByRole("row").allTextContents();
  return ["contoso", "works"].filter((name) => rows.some((row) => row.includes(name)));
}

async function gone({ page }: Person, path: string) {
  await page.goto(path);
  await page.getByText("This does not exist any more").waitFor();
}

test("somebody who is let at one connector sees it alone, until they are given more", async () => {
  const { page, person, world } = at;
  const [reached, hidden] = [await snapshotOf(world, at.token, "contoso"), await snapshotOf(world, at.token, "works")];
  const rita = { name: "rita", password: "a long password for the office" };
  await person.open("/people");
  await at.button("Add account").click();
  const dialog: Locator = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill(rita.name);
  await dialog.getByLabel(/^Password/).fill(rita.password);
  await dialog.getByRole("checkbox", { name: /^Restorer/ }).check();
  await dialog.getByRole("radio", { name: "Only these connectors" }).check();
  await dialog.getByText("Choose at least one connector, or all.").waitFor();
  const add = dialog.getByRole("button", { name: "Add account" });
  expect(await add.isDisabled()).toBe(true);
  await dialog.getByRole("checkbox", { name: "contoso" }).check();
  await person.expectAccessible();
  await add.click();
  await page.getByText("rita can sign in now").first().waitFor();
  await page.getByRole("row", { name: /^rita .*contoso/ }).waitFor();

  const other = await Person.arrive(world);
  await other.signIn(rita);
  for (const path of ["/connectors", "/runs", "/snapshots"]) expect(await listed(other, path), path).toEqual(["contoso"]);
  await other.open("/");
  expect(await other.page.getByRole("main").getByText(/works/).count()).toBe(0);
  await gone(other, "/connectors/works");
  await gone(other, `/snapshots/${hidden}`);
  await other.open(`/snapshots/${reached}?kind=team`);
  await other.page.getByRole("button", { name: "Restore all of this kind…" }).click();
  await other.settled();
  const targets = await other.page.getByLabel("Connector to restore into").getByRole("option").allTextContents();
  expect(targets.join()).toMatch(/contoso/);
  expect(targets.join()).not.toMatch(/works/);
  await other.expectAccessible();

  await person.open("/people/rita");
  await at.button("Roles and access").click();
  await dialog.getByRole("radio", { name: "All connectors, including later ones" }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("rita is changed. The change applies from the next request on.").first().waitFor();
  expect(await listed(other, "/connectors")).toEqual(["contoso", "works"]);
  await other.leave();
});

test("who is let at some connectors is told at the first field that a new one needs a name out of them", async () => {
  const olga = { name: "olga", password: "a long password for the office" };
  await at.world.post("/people", { ...olga, roles: ["operator"], connectors: ["contoso", "spare"] }, at.authorization);
  const other = await Person.arrive(at.world);
  await other.signIn(olga);
  await other.page.goto("/connect/azure-devops");
  const name = other.page.getByLabel(/^Name/);
  await name.fill("mine");
  await other.page.getByText("You have access only to these connectors: contoso and spare. A new one needs one of these names.").waitFor();
  await name.fill("spare");
  await other.page.getByText(/^You have access only to these connectors/).waitFor({ state: "detached" });
  await other.leave();
});

interface Directory {
  users: { id: string; userPrincipalName: string }[];
  groups: { properties: { id: string; displayName: string }; members: string[] }[];
}

test("groups of an identity provider decide which connectors their people reach", async () => {
  const { page, person, world } = at;
  const { users, groups } = (await world.simulate(`/__state?tenant=${TENANT}`, undefined, "GET")) as Directory;
  const group = (name: string) => groups.find(({ properties }) => properties.displayName === name) ?? expect.unreachable(name);
  const [finance, sales] = [group("Finance"), group("Sales and Marketing")];
  const accountOf = ({ members }: typeof finance) => users.find(({ id }) => id === members[0])?.userPrincipalName ?? "";
  const redirects = [`${world.url}/api/v1/sign-in/contoso/callback`];
  const { clientId: client } = (await world.simulate("/__entra/apps", { name: "Keepward", redirects })) as { clientId: string };
  const { secret } = (await world.simulate("/__entra/secrets", { client })) as { secret: string };
  const { id: tenant } = (await world.simulate(`/__state?tenant=${TENANT}`, undefined, "GET")) as { id: string };

  await person.open("/people?tab=providers");
  await at.button("Add identity provider").first().click();
  const dialog = page.getByRole("dialog");
  const type = (label: string | RegExp, text: string) => dialog.getByLabel(label).fill(text);
  await type(/^Name in addresses/, "contoso");
  await type(/^On the button/, "Contoso");
  await type(/^Issuer/, `${world.simulator.url}/${tenant}/v2.0`);
  await type(/^Client id/, client);
  await type(/^Client secret/, secret);
  await dialog.getByLabel("Everybody else").selectOption({ label: "Viewer" });
  const reach = (text: string) => type("Groups and the connectors they have access to", text);
  await reach(`${finance.properties.id} works`);
  await dialog.getByText("Line 1: write GROUP = CONNECTOR, by its name, or *.").waitFor();
  expect(await dialog.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await reach(`${finance.properties.id} = works`);
  await person.expectAccessible();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Contoso is saved").first().waitFor();

  /** Signs in at the provider, as somebody whose browser was never here. */
  const arrives = async (account: string): Promise<Person> => {
    const other = await Person.arrive(world);
    await other.page.goto("/sign-in");
    await other.page.getByRole("link", { name: "Sign in with Contoso" }).or(other.page.getByRole("button", { name: "Sign in with Contoso" })).click();
    await accept(other.page, account);
    await other.page.getByRole("button", { name: /^Account/ }).waitFor();
    return other;
  };
  const cashier = await arrives(accountOf(finance));
  expect(await listed(cashier, "/connectors")).toEqual(["works"]);
  await gone(cashier, "/connectors/contoso");
  await cashier.leave();

  // In none of the groups that are named: in the house, and before closed doors.
  const seller = await arrives(accountOf(sales));
  await seller.open("/connectors");
  await seller.page.getByText("You have no access to any connector").waitFor();
  await seller.expectAccessible();
  await seller.leave();

  await at.button("Edit Contoso").click();
  expect(await dialog.getByLabel("Groups and the connectors they have access to").inputValue()).toBe(`${finance.properties.id} = works`);
  await reach(`${finance.properties.id} = works\n${sales.properties.id} = *`);
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Contoso is saved").first().waitFor();
  const again = await arrives(accountOf(sales));
  expect(await listed(again, "/connectors")).toEqual(["contoso", "works"]);
  await again.leave();
});
