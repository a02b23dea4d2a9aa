import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Person } from "./support/person";
import { World } from "./support/world";

let world: World;
let token: string;
let person: Person;
let page: Page;

beforeAll(async () => {
  world = await World.start();
  token = await world.setUp();
});
afterAll(() => world.stop());

beforeEach(async () => {
  person = await Person.arrive(world);
  page = person.page;
  await person.signIn();
});
afterEach(async () => {
  await person.leave();
  for (const { name } of await connectors()) await world.remove(`/connectors/${name}`, token);
});

async function connectors(): Promise<{ name: string; organization: string; method: string }[]> {
  const { items } = await world.get<{ items: { name: string; organization: string; method: string }[] }>("/connectors", token);
  return items;
}

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
const next = () => button("Next").click();

/** The account types nothing but its name at the simulated Microsoft, and accepts. */
async function accept(popup: Page, account: string) {
  await popup.getByLabel("Account").fill(account);
  await popup.getByRole("button", { name: "Accept" }).click();
}

async function toOrganization(organization: string) {
  await page.goto("/connectors");
  await page.getByRole("button", { name: "Add connector" }).or(page.getByRole("link", { name: "Add connector" })).first().click();
  await button("Connect Azure DevOps").click();
  await page.getByLabel("Organization").fill(organization);
}

describe("an account that signs in", () => {
  test("sre_03 sre_14 sre_16 sre_18 sre_25 sre_26 xa_05: pop-up, checks, review, and the first backup", async () => {
    await toOrganization("https://dev.azure.com/contoso");
    await person.expectAccessible();
    await button("Sign in to Azure DevOps").click();
    const dialog = page.getByRole("dialog", { name: "Authorize Azure DevOps" });
    await dialog.getByText("Read and write access to repositories and projects").waitFor();
    await dialog.getByText("Act on behalf of the signed-in user").waitFor();
    await person.expectAccessible();
    const [popup] = await Promise.all([page.waitForEvent("popup"), dialog.getByRole("button", { name: "Authorize" }).click()]);
    await accept(popup, world.simulator.person);
    await page.getByText("Connected to Azure DevOps").waitFor();
    expect(await connectors()).toEqual([]);
    await next();
    await page.getByText(/checks? passed/).first().waitFor();
    await person.expectAccessible();
    await next();
    await next();
    await page.getByText("Azure DevOps OAuth", { exact: true }).waitFor();
    expect(await connectors()).toEqual([]);
    await button("Add connector").click();
    await button("Custom policy").waitFor();
    await person.expectAccessible();
    await button("Run backup").click();
    await page.waitForURL("**/runs/*");
    await page.getByText("Succeeded", { exact: true }).first().waitFor();
    await page.goto("/connectors");
    await page.getByRole("row", { name: /contoso.*Connected/ }).waitFor();
  });

  test("sre_17: closing the window and canceling keeps nothing", async () => {
    await toOrganization("contoso");
    await button("Sign in to Azure DevOps").click();
    const [popup] = await Promise.all([page.waitForEvent("popup"), button("Authorize").click()]);
    await popup.close();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await button("Sign in to Azure DevOps").waitFor();
    expect(await connectors()).toEqual([]);
  });

  test("sre_15 sre_52: without an organization there is no sign-in", async () => {
    await toOrganization("");
    await page.getByText("Enter the organization first").waitFor();
    expect(await button("Sign in to Azure DevOps").isDisabled()).toBe(true);
    await page.getByLabel("Organization").fill("contoso-");
    expect(await button("Sign in to Azure DevOps").isDisabled()).toBe(true);
    await page.getByLabel("Organization").fill("contoso");
    expect(await button("Sign in to Azure DevOps").isEnabled()).toBe(true);
  });

  test("xa_06 sre_45: a browser that blocks the window is told how to let it", async () => {
    await page.addInitScript(() => {
      window.open = () => null;
    });
    await toOrganization("contoso");
    await page.evaluate(() => {
      window.open = () => null;
    });
    await button("Sign in to Azure DevOps").click();
    await button("Authorize").click();
    await page.getByText("The browser blocked the sign-in window").waitFor();
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: "Open it this once" }).click()]);
    await accept(popup, world.simulator.person);
    await page.getByText("Connected to Azure DevOps").waitFor();
  });
});

describe("a personal access token", () => {
  async function advanced(secret: string) {
    await page.goto("/connect/azure-devops/advanced");
    await page.getByLabel("Organization").fill(world.simulator.organization);
    await page.getByLabel("Personal Access Token (PAT)").fill(secret);
    await button("Proceed").click();
  }

  test("xa_07 xa_08 xa_14: advanced mode connects by it, and no page shows it again", async () => {
    await page.goto("/connect");
    await page.getByRole("link", { name: "advanced mode" }).first().click();
    await page.waitForURL("**/connect/azure-devops/advanced");
    await person.expectAccessible();
    await advanced(world.simulator.pat);
    await button("Run backup").waitFor();
    expect(await page.content()).not.toContain(world.simulator.pat);
    expect((await connectors()).map(({ method }) => method)).toEqual(["pat"]);
  });

  test("sre_40: one that is not valid leaves no connector behind", async () => {
    await advanced("x".repeat(52));
    await page.getByRole("alert").first().waitFor();
    expect(await connectors()).toEqual([]);
  });

  test("sre_08 sre_51: a name that is taken is refused in these words", async () => {
    await world.connect(token, "contoso");
    await page.goto("/connect/azure-devops");
    await page.getByLabel("Name").fill("Contoso");
    await page.getByText("A connector with this name already exists").waitFor();
  });
});

describe("a tenant of Microsoft 365", () => {
  test("xm_02 xm_05 xm_06: a device code is entered elsewhere, and the page notices by itself", async () => {
    await page.goto("/connect");
    await button("Connect Microsoft 365").click();
    const code = page.getByRole("status", { name: "Authentication code" });
    await code.waitFor();
    await page.getByRole("link", { name: "Log in to Microsoft 365" }).waitFor();
    await person.expectAccessible();
    await world.simulate("/__entra/devices/approve", { code: await code.textContent(), person: world.simulator.person });
    await page.getByText("Connected to Microsoft 365").first().waitFor();
  });

  test("xm_08: a code that somebody declines is told, with other ways to connect", async () => {
    await page.goto("/connect/microsoft-365");
    const code = page.getByRole("status", { name: "Authentication code" });
    await code.waitFor();
    await world.simulate("/__entra/devices/decline", { code: await code.textContent() });
    await page.getByRole("alert").first().waitFor();
    await button("Get a new code").waitFor();
  });
});

describe("connectors that exist", () => {
  beforeEach(async () => {
    await world.connect(token, "contoso");
    await page.goto("/connectors");
  });

  test("sre_42 sre_44: the row's menu deletes after a question, and cancel deletes nothing", async () => {
    const remove = async () => {
      await button("Actions for contoso").click();
      await page.getByRole("menuitem", { name: "Delete connector" }).click();
    };
    await remove();
    await page.getByRole("alertdialog").getByText("Its backups stay").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
    expect(await connectors()).toHaveLength(1);
    await remove();
    await page.getByRole("alertdialog").getByRole("button", { name: /Delete|Remove/ }).click();
    await page.getByText("Nothing is connected yet").waitFor();
    expect(await connectors()).toEqual([]);
  });

  test("sre_43: all that are selected go with one confirmation", async () => {
    await page.getByRole("checkbox", { name: "Select contoso" }).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: /Delete|Remove/ }).click();
    await page.getByText("Nothing is connected yet").waitFor();
  });

  test("sre_41: editing begins with the current values", async () => {
    await button("Actions for contoso").click();
    await page.getByRole("menuitem", { name: "Edit connector" }).click();
    await person.settled();
    // It was connected by an address of its own, as a collection of a server.
    expect(await page.getByRole("textbox", { name: "Collection" }).inputValue()).toBe("contoso");
  });

  test("sre_27 sre_28: its repositories and their recent commits are listed", async () => {
    await person.open("/connectors/contoso?tab=repositories");
    await page.getByRole("row").nth(1).waitFor();
  });
});
