import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { desk } from "./support/desk";
import { Program } from "./support/program";

const at = desk();

describe("what can be connected", () => {
  test("sre_02 sre_03 k_07: where nothing is connected, the picker of types leads to the first form", async () => {
    const { page, person } = at;
    await page.goto("/connectors");
    await page.getByText("Nothing is connected yet").waitFor();
    await at.button("Add connector").first().click();
    await page.getByRole("tab", { name: "Code Repository" }).click();
    expect(await page.getByRole("radio", { name: /^Azure DevOps OAuth connector/ }).isChecked()).toBe(true);
    await person.expectAccessible();
    await at.button("Next").click();
    await page.waitForURL("**/connect/azure-devops");
    await page.getByRole("heading", { level: 1, name: "Add Azure DevOps connector" }).waitFor();
  });

  test("xa_01 xm_01 xa_07 xa_08: each service has its section, a tile with Connect, and advanced mode under it", async () => {
    const { page } = at;
    await page.goto("/connect");
    const sections = [
      ["DevOps", ["Azure DevOps", "Azure DevOps Server"]],
      ["Microsoft 365", ["Microsoft 365"]],
    ] as const;
    for (const [section, titles] of sections) {
      const part = page.getByRole("region", { name: section, exact: true });
      for (const title of titles) await part.getByRole("button", { name: `Connect ${title}`, exact: true }).waitFor();
      expect(await part.getByRole("link", { name: "advanced mode" }).count()).toBe(titles.length);
    }
    for (const [index, title] of ["Azure DevOps", "Azure DevOps Server"].entries()) {
      await page.goto("/connect");
      await page.getByRole("link", { name: "advanced mode" }).nth(index).click();
      await page.getByRole("heading", { level: 1, name: `${title}: advanced mode` }).waitFor();
      expect(await page.getByRole("combobox", { name: "Authentication", exact: true }).textContent()).toBe(title);
      expect(await page.getByRole("combobox", { name: "Connect using", exact: true }).textContent()).toBe("Username and Personal Access Token");
      await at.field("Username").waitFor();
    }
  });
});

describe("the form", () => {
  const RULE = "3 to 32 letters (a–z), digits and hyphens, beginning with a letter. No blanks, dots or underscores.";

  test("sre_05 sre_06 sre_07: a name is held to its rule while it is typed", async () => {
    const { page } = at;
    await page.goto("/connect/azure-devops");
    await at.field("Organization").fill("contoso");
    const signIn = at.button("Sign in to Azure DevOps");
    for (const name of ["ado-contoso", "my-org-connector", "abc", `a${"b".repeat(31)}`, "ends-with-"]) {
      await at.field("Name").fill(name);
      await expect.poll(() => signIn.isEnabled(), { message: name }).toBe(true);
      expect(await page.getByText(RULE).count(), name).toBe(0);
    }
    for (const name of ["ab", "a".repeat(33), "1st", "-ab", "a_b_c", "a.b.c", "a b c", "ärger"]) {
      await at.field("Name").fill(name);
      await page.getByText(RULE).waitFor();
      expect(await signIn.isDisabled(), name).toBe(true);
    }
    await at.field("Name").fill("");
    await page.keyboard.press("Tab");
    await page.getByText(RULE).waitFor();
    expect(await signIn.isDisabled()).toBe(true);
  });

  test("sre_10 sre_11 sre_15: an organization is held to its rule while it is typed", async () => {
    await at.page.goto("/connect/azure-devops");
    await at.field("Name").fill("steady");
    const signIn = at.button("Sign in to Azure DevOps");
    for (const organization of ["contoso", "a", "0", "a-b", "Contoso2", "a".repeat(50)]) {
      await at.field("Organization").fill(organization);
      await expect.poll(() => signIn.isEnabled(), { message: organization }).toBe(true);
    }
    for (const organization of ["-contoso", "contoso-", "a".repeat(51), "con_toso", "con.toso", "con toso"]) {
      await at.field("Organization").fill(organization);
      await expect.poll(() => at.field("Organization").getAttribute("aria-invalid"), { message: organization }).toBe("true");
      expect(await signIn.isDisabled(), organization).toBe(true);
    }
  });

  test("sre_14: the two usual ways stand first, each with its use and the life of its tokens", async () => {
    const { page } = at;
    await page.goto("/connect/azure-devops");
    const methods = page.getByRole("radiogroup", { name: /^Authentication method/ });
    await methods.getByText(/^Quick set-up/).waitFor();
    await methods.getByText(/^Token life: Tokens refresh by themselves/).waitFor();
    await methods.getByText(/^Unattended: the identity of the Azure machine/).waitFor();
    await methods.getByText(/^Token life: No expiry/).waitFor();
    expect(await methods.getByRole("radio").count()).toBe(2);
  });

  test("sre_22: where the machine has no identity, the form says how to add one", async () => {
    const { page, person } = at;
    await page.route("**/api/v1/connect/identities", (route) => route.fulfill({ json: { items: [] } }));
    await page.goto("/connect/azure-devops");
    await at.field("Organization").fill("contoso");
    await at.method("Managed identity");
    await page.getByText("This machine has no managed identity.").waitFor();
    expect(await page.getByRole("link", { name: "How to add one" }).getAttribute("href")).toContain("learn.microsoft.com");
    await person.expectAccessible();
  });
});

test("xa_12 xa_13: a worker that does not reach the storage is warned of, and its backup is refused before it runs", async () => {
  const { page, person, world } = at;
  await person.open("/workers");
  await at.button("Add worker").click();
  await page.getByRole("dialog").getByLabel(/^Name/).fill("edge");
  await at.button("Create token").click();
  const kept = page.getByRole("alertdialog", { name: "Keep the token of edge" });
  const file = join(world.folder, "edge.token");
  await writeFile(file, (await kept.locator("pre").first().textContent()) ?? "", { mode: 0o600 });
  await kept.getByRole("checkbox").check();
  await kept.getByRole("button", { name: "Close" }).click();
  await page.getByRole("row", { name: /^edge Never seen/ }).waitFor();
  const edge = new Program(["worker", "--server", world.url, "--token-file", file]);
  onTestFinished(() => edge.end());
  const seen = async () => (await world.get<{ items: { name: string; seen?: string | null }[] }>("/workers", at.token)).items.find(({ name }) => name === "edge")?.seen;
  await expect.poll(seen, { timeout: 20_000 }).toBeTruthy();
  await person.open("/workers");
  await page.getByRole("row", { name: /^edge Ready/ }).waitFor();

  await page.goto("/connect/azure-devops/advanced");
  await at.field("Organization").fill("contoso");
  await at.field("Personal Access Token (PAT)").fill(world.simulator.pat);
  await at.choose("Default worker", "edge");
  await page.getByText("edge does not reach the storage of the repository default").waitFor();
  await page.getByText(/is a folder of another machine\. Choose a worker beside the storage/).waitFor();
  await person.expectAccessible();
  await at.button("Proceed").click();
  await at.button("Run backup").click();
  await page.getByRole("alert").getByText(/^No worker .* reaches repository default/).waitFor();
  expect((await world.get<{ items: unknown[] }>("/runs?kind=backup", at.token)).items).toEqual([]);
});
