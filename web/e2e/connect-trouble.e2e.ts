import { describe, expect, test } from "vitest";
import { damage } from "./support/catalog";
import { accept, desk } from "./support/desk";

// SRE-53: each message of the troubleshooting table, word for word, by its cause.
const at = desk();

/** The message itself and what to do about it, somewhere on the page. */
async function says(message: string, advice: string | RegExp) {
  await at.page.getByText(message, { exact: true }).first().waitFor();
  await at.page.getByText(advice).first().waitFor();
  await at.person.expectAccessible();
}

/** The message in the list of connectors, with the advice beside it. */
async function standsSo(name: string, message: string, advice: string) {
  await at.page.goto("/connectors");
  const row = at.page.getByRole("row", { name: new RegExp(`^Select ${name} `) });
  await row.getByText(message, { exact: true }).waitFor();
  await row.getByText(advice, { exact: true }).waitFor();
}

async function runTest(name: string) {
  await at.page.goto("/connectors");
  await at.button(`Actions for ${name}`).click();
  await at.page.getByRole("menuitem", { name: "Test" }).click();
}

describe("while connecting", () => {
  test("sre_45 xa_06: the window does not appear: refresh, sign in at the portal, or let this one window open", async () => {
    const { page, world } = at;
    // As a browser behaves that blocks windows.
    await page.addInitScript(() => {
      window.open = () => null;
    });
    await page.goto("/connect/azure-devops");
    await at.field("Organization").fill("contoso");
    await at.button("Sign in to Azure DevOps").click();
    await at.button("Authorize").click();
    await says("The browser blocked the sign-in window", /refresh the page\. If your session has expired, sign in at the portal first/);
    await page.getByText(`allow pop-ups for ${world.url}`).waitFor();
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: "Open it now" }).click()]);
    await accept(popup, world.simulator.person);
    await page.getByText("Connected to Azure DevOps").waitFor();
  });

  test("sre_15 sre_52: the sign-in button is disabled: enter the organization first", async () => {
    await at.page.goto("/connect/azure-devops");
    await says("Enter the organization first", "The sign-in button works once the organization is entered.");
    const signIn = at.button("Sign in to Azure DevOps");
    expect(await signIn.isDisabled()).toBe(true);
    await at.field("Organization").fill("contoso-");
    expect(await signIn.isDisabled()).toBe(true);
    await at.field("Organization").fill("contoso");
    expect(await signIn.isEnabled()).toBe(true);
  });

  test("sre_12 sre_50: the organization is connected already: edit that connector, or delete it first", async () => {
    await at.connectAccount("first");
    await at.page.goto("/connect/azure-devops");
    await at.field("Organization").fill("CONTOSO");
    await says("A connector for this organization already exists", "Edit the existing connector, or delete it first: its backups stay.");
    expect(await at.button("Sign in to Azure DevOps").isDisabled()).toBe(true);
    await at.page.getByRole("link", { name: "first" }).click();
    await at.page.waitForURL("**/connectors/first?tab=settings");
  });

  test("sre_50: somebody else connects it meanwhile: the last step says so, and saves nothing", async () => {
    const { page } = at;
    await page.goto("/connect/azure-devops");
    await at.field("Organization").fill("contoso");
    await accept(await at.authorize(), at.world.simulator.person);
    await page.getByText("Connected to Azure DevOps").waitFor();
    await at.toReview();
    await at.connectAccount("first");
    await at.button("Add connector").click();
    await page.getByRole("alert").getByText("A connector for this organization already exists", { exact: true }).waitFor();
    expect((await at.connectors()).map(({ name }) => name)).toEqual(["first"]);
  });

  test("sre_08 sre_51: the name is used already: choose another", async () => {
    await at.world.connect(at.token, "contoso");
    await at.page.goto("/connect/azure-devops");
    await at.field("Name").fill("Contoso");
    await says("A connector with this name already exists", "Choose another name.");
    await at.field("Organization").fill("contoso");
    expect(await at.button("Sign in to Azure DevOps").isDisabled()).toBe(true);
  });

  test("sre_40 sre_48: the token may not read code: nothing is saved, and one that may goes through", async () => {
    const { page, world } = at;
    const scopes = ["vso.project", "vso.work", "vso.wiki"];
    const { pat } = (await world.simulate("/__pats", { scopes })) as { pat: string };
    const begin = async (secret: string) => {
      await page.goto("/connect/documentation");
      await at.field("Azure DevOps URL").fill("https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project");
      await at.field("Personal Access Token (PAT)").fill(secret);
      await at.next("Review");
    };
    await begin(pat);
    await at.button("Add connector").click();
    await says("Token lacks Code.Read permission", /Authenticate again with an identity that has Code\.Read, or give the token the scope vso\.code/);
    expect(await at.connectors()).toEqual([]);
    await begin(world.simulator.pat);
    await at.add();
  });
});

describe("of a connector that was connected", () => {
  test("sre_29 sre_48: the token lost its right to read code: authenticate again with one that has it", async () => {
    const { page, world } = at;
    const { pat } = (await world.simulate("/__pats", { scopes: ["vso.project", "vso.work", "vso.wiki"] })) as { pat: string };
    await world.post(
      "/connectors",
      { service: "azure-devops", name: "partial", organization: "contoso", identity: { method: "pat", secret: pat } },
      at.authorization,
    );
    await page.goto("/connectors/partial?tab=repositories");
    await says("Token lacks Code.Read permission", /Authenticate again with an identity that has Code\.Read/);
    await page.goto("/connectors/partial/sign-in");
    await at.field("Personal Access Token (PAT)").fill(world.simulator.pat);
    await at.button("Use this sign-in").click();
    await page.waitForURL("**/connectors/partial");
    await page.goto("/connectors/partial?tab=repositories");
    await page.getByRole("row", { name: /Main Project/ }).first().waitFor();
  });

  test("sre_46: the session was revoked: refresh the page, sign in again", async () => {
    const { page, world } = at;
    const [token, advice] = ["Invalid or expired token", "The session has expired. Refresh the page, then sign in again."];
    // Tokens that are as good as expired are renewed for each use.
    await world.simulate("/__entra/settings", { tokenLife: 60 });
    await at.connectAccount();
    await world.simulate("/__entra/revoke", { person: world.simulator.person });
    await runTest("contoso");
    await page.getByText(token, { exact: true }).first().waitFor();
    await standsSo("contoso", token, advice);
    await at.person.expectAccessible();
    await world.simulate("/__entra/settings", { tokenLife: 3600 });
    await page.getByRole("row", { name: /^Select contoso / }).getByRole("link", { name: "Sign in again" }).click();
    await accept(await at.authorize(), "lee.gu@contoso.example");
    await at.button("Use this sign-in").click();
    await page.waitForURL("**/connectors/contoso");
    await page.goto("/connectors");
    await page.getByRole("row", { name: /contoso.*Connected/ }).waitFor();
  });

  test("sre_47: there is no token for it: edit it and sign in", async () => {
    const { page, world } = at;
    const message = "Azure DevOps access token not configured. Please authenticate.";
    await at.connectAccount();
    // A credential whose secret is empty, in the place of the account's.
    await world.post("/credentials", { name: "empty", identity: { method: "managed-identity" } }, at.authorization);
    damage(
      world,
      `UPDATE credential SET method = 'user', sign_in = (SELECT sign_in FROM credential WHERE key = 'connector contoso') WHERE key = 'empty';
       UPDATE connector SET credential = 'empty', credential_key = 'empty' WHERE key = 'contoso';
       DELETE FROM credential WHERE key = 'connector contoso'`,
    );
    await runTest("contoso");
    await page.getByRole("alert").getByText(message, { exact: true }).waitFor();
    await standsSo("contoso", message, "There is no token for this connector. Edit it and sign in.");
    await at.button("Actions for contoso").click();
    await page.getByRole("menuitem", { name: "Edit connector" }).click();
    await at.button("Sign in with different account").click();
    await accept(await at.authorize(), world.simulator.person);
    await at.button("Use this sign-in").click();
    await page.waitForURL("**/connectors/contoso");
    await runTest("contoso");
    await page.getByText("Everything can be backed up.").waitFor();
  });

  test("sre_49: its organization is missing: enter it, or delete the connector and create it again", async () => {
    const { page, world } = at;
    await at.connectAccount();
    damage(world, "UPDATE connector SET organization = '', organization_key = '' WHERE key = 'contoso'");
    await runTest("contoso");
    await page.getByRole("alert").getByText("Organization not configured for this connector", { exact: true }).waitFor();
    await page.getByText(/Delete the connector and create it again/).first().waitFor();
    await page.goto("/connectors/contoso?tab=settings");
    await at.field("Organization").fill("contoso");
    await at.button("Save").click();
    await page.getByText("contoso is saved").first().waitFor();
    expect((await at.connectors()).map(({ organization }) => organization)).toEqual(["contoso"]);
  });

  test("sre_45 sre_46 sre_47 sre_48 sre_49 sre_50 sre_51 sre_52: the table of all eight is at hand where connectors are listed", async () => {
    await at.person.open("/connectors");
    await at.button("Troubleshooting").click();
    for (const message of [
      "The sign-in window does not appear",
      "Invalid or expired token",
      "Azure DevOps access token not configured. Please authenticate.",
      "Token lacks Code.Read permission",
      "Organization not configured for this connector",
      "A connector for this organization already exists",
      "A connector with this name already exists",
      "Enter the organization first",
    ]) {
      await at.page.getByRole("term").filter({ hasText: message }).waitFor();
    }
    expect(await at.page.getByRole("definition").count()).toBe(8);
    await at.person.expectAccessible();
  });
});
