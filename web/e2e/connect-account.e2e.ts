import { describe, expect, test } from "vitest";
import { accept, desk } from "./support/desk";

const at = desk();

describe("an account that signs in", () => {
  test("sre_16 sre_18 sre_25 sre_26 k_06 k_08 k_09 xa_05: pop-up, checks, review, and the first backup", async () => {
    const { page, person, world } = at;
    await at.toOrganization("https://dev.azure.com/contoso");
    await person.expectAccessible();
    await at.button("Sign in to Azure DevOps").click();
    const dialog = page.getByRole("dialog", { name: "Authorize Azure DevOps" });
    await dialog.getByText("Read and write access to repositories and projects").waitFor();
    await dialog.getByText("Act on behalf of the signed-in user").waitFor();
    await dialog.getByText("Before you sign in, sign out of personal Microsoft accounts or use a private window.").waitFor();
    await dialog.getByRole("button", { name: "All permissions, and why" }).click();
    await dialog.getByRole("row", { name: /vso\.code/ }).first().waitFor();
    await person.expectAccessible();
    const [popup] = await Promise.all([page.waitForEvent("popup"), dialog.getByRole("button", { name: "Authorize" }).click()]);
    await accept(popup, world.simulator.person);
    const connected = page.getByRole("status").filter({ hasText: "Connected to Azure DevOps" });
    await connected.waitFor();
    const color = await connected.locator("svg").first().evaluate((mark) => getComputedStyle(mark).color);
    const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number);
    expect(green, color).toBeGreaterThan(Math.max(red, blue));
    expect(await at.connectors()).toEqual([]);
    await at.next("Organizations");
    await page.getByText(/checks? passed/).first().waitFor();
    await person.expectAccessible();
    await at.next("Settings");
    await at.next("Review");
    for (const [name, value] of [["Name", "contoso"], ["Organization", "contoso"], ["Type", "Azure DevOps OAuth"], ["Signed in as", world.simulator.person], ["App profile", "contoso.example azure-devops (added first)"]] as const) {
      await page.locator("dl > div").filter({ has: page.getByText(name, { exact: true }) }).getByText(value, { exact: true }).waitFor();
    }
    expect(await at.connectors()).toEqual([]);
    await at.add();
    await person.expectAccessible();
    await at.backUp();
    await page.goto("/connectors");
    await page.getByRole("row", { name: /contoso.*Connected/ }).waitFor();
  });

  test("sre_17: closing the window and canceling keeps nothing", async () => {
    await at.toOrganization("contoso");
    const popup = await at.authorize();
    await popup.close();
    await at.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await at.button("Sign in to Azure DevOps").waitFor();
    expect(await at.connectors()).toEqual([]);
  });

  test("sre_17: who declines at Microsoft is told so, and nothing is kept", async () => {
    await at.toOrganization("contoso");
    const popup = await at.authorize();
    await popup.getByRole("button", { name: "Cancel" }).click();
    const dialog = at.page.getByRole("dialog", { name: "Authorize Azure DevOps" });
    await dialog.getByRole("alert").getByText("The sign-in did not succeed").waitFor();
    await dialog.getByRole("button", { name: "Try again" }).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await at.connectors()).toEqual([]);
  });

  test("sre_19 k_02: an account that the organization does not let in is told to check its access to it", async () => {
    await at.toOrganization("contoso");
    // Of the tenant, and no member of the organization.
    await accept(await at.authorize(), "megan.bowen@contoso.example");
    await at.page.getByText("Connected to Azure DevOps").waitFor();
    await at.next("Organizations");
    await at.page.getByText("Cannot be connected", { exact: true }).waitFor();
    await at.page.getByText("Check that the account has access to the organization contoso.").waitFor();
    await at.page.getByText(/the account is not a member of contoso/i).first().waitFor();
    expect(await at.button("Next").isDisabled()).toBe(true);
    await at.person.expectAccessible();
  });

  test("sre_20: a different account signs in before anything is saved, and it is that one which is kept", async () => {
    const { page, world } = at;
    await at.toOrganization("contoso");
    await accept(await at.authorize(), "lee.gu@contoso.example");
    await page.getByText("Signed in as lee.gu@contoso.example").waitFor();
    await at.button("Sign in with different account").click();
    // Microsoft asks which account, also where the browser has a session.
    await accept(await at.authorize(), world.simulator.person);
    await page.getByText(`Signed in as ${world.simulator.person}`).waitFor();
    await at.toReview();
    await page.getByText(world.simulator.person, { exact: true }).waitFor();
    await at.add();
    expect(await at.account()).toBe(world.simulator.person);
  });
});

describe("a session at Microsoft, and a consent given before", () => {
  const ADMINISTRATOR = "admin@contoso.example";
  const signedIn = (account: string | null) => at.world.simulate("/__entra/settings", { signedIn: account });

  /** Through the window, in which nobody types or clicks. */
  async function byItself(account: string) {
    await signedIn(account);
    await at.toOrganization("contoso");
    const popup = await at.authorize();
    await at.page.getByText(`Signed in as ${account}`).waitFor();
    await expect.poll(() => popup.isClosed()).toBe(true);
    await signedIn(null);
  }

  test("xa_02 k_08 k_09: complete the sign-in of the next connector with no typing", async () => {
    const { page, world } = at;
    await at.toOrganization("contoso");
    await accept(await at.authorize(), world.simulator.person);
    await page.getByText("Connected to Azure DevOps").waitFor();
    await at.button("Cancel").click();
    await page.waitForURL("**/connectors");
    await byItself(world.simulator.person);
  });

  test("xa_04: what an administrator consents to on behalf of the organization, nobody else is asked for", async () => {
    const { page } = at;
    await at.toOrganization("contoso");
    await at.button("Sign in to Azure DevOps").click();
    const dialog = page.getByRole("dialog", { name: "Authorize Azure DevOps" });
    await dialog.getByText(/Choose “Consent on behalf of your organization” to be asked only once/).waitFor();
    const [popup] = await Promise.all([page.waitForEvent("popup"), dialog.getByRole("button", { name: "Authorize" }).click()]);
    await popup.getByLabel("Consent on behalf of your organization").check();
    await accept(popup, ADMINISTRATOR);
    await page.getByText("Connected to Azure DevOps").waitFor();
    await byItself("adele.vance@contoso.example");
  });
});

describe("links that name more than the organization", () => {
  test("sre_09 sre_35 sre_36 sre_37: they lead to the organization, and it is said to what else", async () => {
    await at.toOrganization("");
    const links = [
      ["https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project", "Main Project"],
      ["https://contoso.visualstudio.com/Main%20Project/_git/Docs/", "Docs"],
      ["https://dev.azure.com/contoso/Main%20Project/_wiki/wikis/Main%20Project.wiki/1/Home", "Main Project.wiki"],
    ] as const;
    for (const [link, part] of links) {
      await at.field("Organization").fill(link);
      await at.page.getByText(`The organization is contoso; the address leads to ${part} in Main Project.`).waitFor();
      expect(await at.field("Name").inputValue()).toBe("contoso");
      expect(await at.button("Sign in to Azure DevOps").isEnabled()).toBe(true);
    }
  });

  test("sre_09: what such a link is signed in to is the organization", async () => {
    await at.toOrganization("https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project");
    await accept(await at.authorize(), at.world.simulator.person);
    await at.page.getByText("Connected to Azure DevOps").waitFor();
    await at.toReview();
    await at.add();
    expect((await at.connectors()).map(({ name, organization }) => [name, organization])).toEqual([["contoso", "contoso"]]);
  });

  test("sre_11 sre_38: what leads to none is refused while it is typed, and nobody can sign in", async () => {
    await at.toOrganization("");
    const wrong = [
      ["http://dev.azure.com/contoso", "An address begins with https://."],
      ["https://github.com/contoso", "Only addresses of dev.azure.com and NAME.visualstudio.com are understood."],
      ["https://dev.azure.com/contoso/Main%20Project/_git", "The repository is missing: …/PROJECT/_git/REPOSITORY"],
      ["https://ada:secret@dev.azure.com/contoso", "The address holds a password: give the token on its own."],
      ["contoso_", "Give the part after dev.azure.com/, for example contoso: letters, digits and hyphens, 50 at most, with a letter or digit at both ends."],
    ] as const;
    for (const [text, why] of wrong) {
      await at.field("Organization").fill(text);
      await at.page.getByText(why, { exact: true }).waitFor();
      expect(await at.button("Sign in to Azure DevOps").isDisabled(), text).toBe(true);
    }
  });
});
