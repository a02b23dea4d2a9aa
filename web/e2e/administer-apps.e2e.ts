import { describe, expect, test } from "vitest";
import { accept, desk } from "./support/desk";
import { ended } from "./support/protected";

const at = desk();
const TENANTS = { contoso: "contoso.onmicrosoft.com", fabrikam: "fabrikam.onmicrosoft.com" };

/** A profile with an app registration of one's own, to the page that it has. */
async function profile(name: string, tenant: string) {
  const { page } = at;
  await page.goto("/apps");
  await at.button("Create").click();
  await page.getByRole("radio", { name: "Azure DevOps", exact: true }).check();
  await page.getByRole("radio", { name: /^Own app/ }).check();
  await at.button("Next").click();
  await at.field("Name").fill(name);
  await at.field("Tenant").fill(tenant);
  expect(await at.button("Create profile").isDisabled()).toBe(true);
  await at.field("Application (client) id").fill(at.world.simulator.client_id);
  await at.person.expectAccessible();
  await at.button("Create profile").click();
  await page.waitForURL(`**/apps/${name}`);
}

describe("app profiles", () => {
  test("av_02 av_09: a tenant has its profile before anything is connected through it, and keeps it as long", async () => {
    const { page, person, world } = at;
    await person.open("/apps");
    await page.getByText("No app profile yet").waitFor();
    await at.connectAccount("contoso");
    await page.goto("/apps");
    await page.getByRole("row", { name: /^contoso\.example azure-devops .*This installation's/ }).waitFor();
    await page.getByRole("link", { name: "contoso.example azure-devops", exact: true }).click();
    await at.button("Delete").click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.getByText(/is still signed in through by/).first().waitFor();
    await person.expectAccessible();
    await world.remove("/connectors/contoso", at.token);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL("**/apps");
    await page.getByText("No app profile yet").waitFor();
  });

  test("av_01 av_09: an app of the tenant's own is a profile, through which its people connect", async () => {
    const { page, world } = at;
    await profile("own", TENANTS.contoso);
    await page.locator("dl > div").filter({ has: page.getByText("App", { exact: true }) }).getByText("Your own", { exact: true }).waitFor();
    await page.goto("/apps");
    await page.getByRole("row", { name: /^own .*Your own/ }).waitFor();
    await page.getByRole("link", { name: "own", exact: true }).click();
    await at.button("Connect with it").click();
    expect(await page.getByRole("combobox", { name: "App registration" }).textContent()).toBe("own");
    await at.field("Organization").fill("contoso");
    await accept(await at.authorize(), world.simulator.person);
    await at.toReview();
    await at.add();
    expect((await at.connectors()).map(({ organization }) => organization)).toEqual(["contoso"]);
  });

  test("av_03: with the profile of another tenant an organization is not connected", async () => {
    const { page } = at;
    await profile("theirs", TENANTS.fabrikam);
    await at.button("Connect with it").click();
    await at.field("Organization").fill("contoso");
    await accept(await at.authorize(), "mona.kane@fabrikam.example");
    await page.getByText("Connected to Azure DevOps").waitFor();
    await at.next("Organizations");
    await page.getByText(/^The organization contoso belongs to the tenant .*, and the sign-in was in /).waitFor();
    await page.getByText("Cannot be connected", { exact: true }).waitFor();
    expect(await at.button("Next").isDisabled()).toBe(true);
    expect(await at.connectors()).toEqual([]);
  });

  test("av_02: nobody signs in through a profile that does not exist", async () => {
    const { page, person } = at;
    await page.goto("/connect/azure-devops?profile=missing");
    await at.field("Organization").fill("contoso");
    await at.button("Sign in to Azure DevOps").click();
    const dialog = page.getByRole("dialog", { name: "Authorize Azure DevOps" });
    await dialog.getByRole("alert").getByText(/app profile/i).first().waitFor();
    expect(await dialog.getByRole("button", { name: "Authorize" }).count()).toBe(0);
    await person.expectAccessible();
  });

  test("the browser's way back leads to the first choice, which is kept", async () => {
    const { page } = at;
    await page.goto("/new/app");
    await page.getByRole("radio", { name: "Microsoft 365" }).check();
    await page.getByRole("radio", { name: /^Own app/ }).check();
    await at.button("Next").click();
    await at.field("Application (client) id").waitFor();
    await page.reload();
    await page.getByRole("cell", { name: "User.Read.All" }).first().waitFor();
    await page.goBack();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>('input[value="microsoft-365"]')?.checked);
    expect(await page.getByRole("radio", { name: /^Own app/ }).isChecked()).toBe(true);
  });
});

test("av_10 av_11 av_12: every permission has its reason, what is narrower is said, and it goes to paper", async () => {
  const { page, person } = at;
  await page.addInitScript(() => {
    window.print = () => void document.body.setAttribute("data-printed", "yes");
  });
  await person.open("/apps");
  await at.button("Permissions").click();
  const table = page.getByRole("table", { name: "Permissions, why they are needed, and the data they serve" });
  for (const column of ["API", "Permission", "Type", "Category", "Why it is needed", "Data"]) await table.getByRole("columnheader", { name: column, exact: true }).waitFor();
  await table.getByRole("row", { name: /^Azure DevOps.*vso\.code.*Delegated.*Backup/ }).first().waitFor();
  for (const row of await table.getByRole("row").all()) expect((await row.getByRole("cell").allTextContents()).every((text) => text.trim() !== "")).toBe(true);
  const narrower = page.getByRole("region", { name: "Is there something narrower?" });
  await narrower.getByText(/user_impersonation is not needed; it stands for all of them together/).waitFor();
  await page.getByRole("tab", { name: "Microsoft 365" }).click();
  await table.getByRole("row", { name: /User\.Read\.All.*Delegated/ }).first().waitFor();
  await narrower.getByText(/User\.Read\.All: no narrower permission reads the full profiles of all users/).waitFor();
  await person.expectAccessible();
  await at.button("Save as PDF").click();
  await page.locator('[data-printed="yes"]').waitFor();
  await page.emulateMedia({ media: "print" });
  expect(await at.button("Save as PDF").count()).toBe(0);
  expect((await page.pdf()).subarray(0, 5).toString()).toBe("%PDF-");
});

test("av_04: a policy selects projects of an organization, and its backup holds those alone", async () => {
  const { page, world } = at;
  await world.connect(at.token, "contoso");
  await page.goto("/new/policy?connector=contoso");
  await page.getByLabel("Name", { exact: true }).fill("scoped");
  const which = page.getByRole("radiogroup", { name: "Which projects" });
  await which.getByRole("radio", { name: "Chosen ones" }).check();
  await page.getByLabel("Include", { exact: true }).fill("Main Project");
  await at.button("Create policy").click();
  await page.getByText("scoped is saved").first().waitFor();
  const authorization = { authorization: `Bearer ${at.token}` };
  const queued = (await (await world.post("/policies/scoped/run", {}, authorization)).json()) as { items: { id: string }[] };
  const { snapshot } = await ended(world, at.token, queued.items[0]?.id ?? "");
  const { items } = await world.get<{ items: { name: string }[] }>(`/snapshots/${snapshot}/items?kind=project`, at.token);
  expect(items.map(({ name }) => name)).toEqual(["Main Project"]);
  await page.goto(`/snapshots/${snapshot}`);
  await page.getByText("Selected was Projects: only Main Project. The rest is as it was when it was last selected.").waitFor();
  await world.remove("/policies/scoped", at.token);
});
