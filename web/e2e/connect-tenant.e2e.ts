import { describe, expect, test } from "vitest";
import { makeCertificate } from "./support/certificate";
import { accept, desk } from "./support/desk";

const at = desk();
const TENANT = "contoso.onmicrosoft.com";
const ADMINISTRATOR = "admin@contoso.example";

async function enter(action: "approve" | "decline", person = ADMINISTRATOR) {
  const code = await at.page.getByRole("status", { name: "Authentication code" }).textContent();
  await at.world.simulate(`/__entra/devices/${action}`, { code, ...(action === "approve" && { person }) });
}

async function shown() {
  await at.page.goto("/connect/microsoft-365");
  await at.page.getByRole("status", { name: "Authentication code" }).waitFor();
}

/** From the sign-in of a tenant to the last look. */
async function toReview() {
  await at.next("Tenant");
  await at.page.getByText("Can be connected", { exact: true }).waitFor();
  await at.next("Settings");
  await at.next("Review");
}

const add = () => at.add("Connected to Microsoft 365");

describe("a device code", () => {
  test("xm_01 xm_02 xm_05 xm_06: is entered elsewhere, the page notices by itself, and the first backup runs", async () => {
    const { page, person } = at;
    await page.goto("/connect");
    await at.button("Connect Microsoft 365").click();
    await page.getByRole("link", { name: "Log in to Microsoft 365" }).waitFor();
    await at.button("Copy code").click();
    const code = await page.getByRole("status", { name: "Authentication code" }).textContent();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
    await person.expectAccessible();
    await enter("approve");
    await page.getByText("Connected to Microsoft 365").first().waitFor();
    await toReview();
    expect(await at.connectors()).toEqual([]);
    await add();
    await person.expectAccessible();
    await at.backUp();
  });

  test("xm_03 xm_04: Microsoft's page takes the code, names the app, and this page goes on", async () => {
    await shown();
    const code = (await at.page.getByRole("status", { name: "Authentication code" }).textContent()) ?? "";
    const link = at.page.getByRole("link", { name: "Log in to Microsoft 365" });
    const [microsoft] = await Promise.all([at.person.context.waitForEvent("page"), link.click()]);
    await microsoft.getByLabel("Code").fill(code);
    await microsoft.getByRole("button", { name: "Next" }).click();
    await microsoft.getByText("Are you trying to sign in to Keepward Registrator?").waitFor();
    await microsoft.getByLabel("Account").fill(ADMINISTRATOR);
    await microsoft.getByRole("button", { name: "Continue" }).click();
    await microsoft.getByText("You may now close this window").waitFor();
    await microsoft.close();
    await at.page.getByText("Connected to Microsoft 365").first().waitFor();
  });

  test("xm_08: a code that nobody entered in time is told apart", async () => {
    await at.world.simulate("/__entra/settings", { deviceCodeLife: 1 });
    await at.page.goto("/connect/microsoft-365");
    await at.page.getByRole("alert").getByText("The device code has expired").waitFor();
    await at.world.simulate("/__entra/settings", { deviceCodeLife: 900 });
    await at.button("Get a new code").click();
    await at.page.getByRole("status", { name: "Authentication code" }).waitFor();
  });

  test("xm_08: a tenant that forbids device codes is told so, and the window of the browser is the way around", async () => {
    await at.world.simulate("/__entra/rules", { tenant: TENANT, deviceFlow: "blocked" });
    await shown();
    // The page at Microsoft says so, too.
    await expect(enter("approve")).rejects.toThrow("53003");
    await at.page.getByRole("alert").getByText("Conditional Access").first().waitFor();
    await at.world.simulate("/__entra/rules", { tenant: TENANT, deviceFlow: "allowed" });
    await at.button("Sign in in a window of this browser").click();
    await at.button("Sign in to Microsoft 365").click();
    const [popup] = await Promise.all([at.page.waitForEvent("popup"), at.button("Authorize").click()]);
    await accept(popup, ADMINISTRATOR);
    await at.page.getByText("Connected to Microsoft 365").first().waitFor();
  });

  test("xm_08: a code that somebody declines is told, with other ways to connect", async () => {
    await shown();
    await enter("decline");
    await at.page.getByRole("alert").getByText("The sign-in with the device code was declined").waitFor();
    await at.button("Get a new code").click();
    await at.page.getByRole("status", { name: "Authentication code" }).waitFor();
    await at.page.getByRole("link", { name: "Let an administrator consent by a link (App management)" }).waitFor();
    await at.button("Use an app of your own with a certificate").click();
    await at.field("Certificate and private key").waitFor();
  });
});

describe("an app of one's own", () => {
  async function begin(method: string) {
    await at.page.goto("/connect/microsoft-365");
    await at.method(method);
    await at.field("Tenant").fill(TENANT);
    await at.field("Name").fill("contoso-365");
    await at.field("Client id").fill(at.world.simulator.client_id);
    await at.field("Tenant id").fill(TENANT);
  }

  test("connects the tenant with its secret, to the first backup", async () => {
    await begin("App with a client secret");
    await at.field("Client secret").fill(at.world.simulator.client_secret);
    await toReview();
    await add();
    expect(await at.connectors()).toMatchObject([{ name: "contoso-365", organization: TENANT, method: "client-secret" }]);
    await at.backUp();
  });

  test("xm_08: connects the tenant with its certificate", async () => {
    const { certificate, key } = makeCertificate();
    await at.world.simulate("/__entra/certificates", { client: at.world.simulator.client_id, certificate });
    await begin("App with a certificate");
    await at.field("Certificate and private key").fill(`${certificate}${key}`);
    await toReview();
    await add();
    expect(await at.connectors()).toMatchObject([{ name: "contoso-365", method: "certificate" }]);
  });
});

describe("an administrator's consent by a link", () => {
  test("av_08 av_09 xm_08: the profile notices the consent, and people connect through it", async () => {
    const { page, person } = at;
    await page.goto("/apps");
    await at.button("Create").click();
    await page.getByRole("radio", { name: "Microsoft 365" }).check();
    await page.getByRole("radio", { name: /^Modern mode/ }).check();
    await at.button("Next").click();
    await at.field("Name").fill("contoso");
    await at.field("Tenant").fill(TENANT);
    await page.getByRole("cell", { name: "User.Read.All" }).first().waitFor();
    await person.expectAccessible();
    await at.button("Create profile").click();
    await page.waitForURL("**/apps/contoso");
    await page.getByText("Not seen yet").waitFor();
    await at.button("Consent").click();
    const link = page.getByRole("link", { name: "Open Microsoft's consent page" });
    const [microsoft] = await Promise.all([person.context.waitForEvent("page"), link.click()]);
    await accept(microsoft, ADMINISTRATOR);
    await microsoft.getByRole("heading", { name: "Consented" }).waitFor();
    await microsoft.close();
    await page.getByText("Consented", { exact: true }).first().waitFor();
    await person.expectAccessible();

    await at.button("Connect with it").click();
    await page.getByRole("status", { name: "Authentication code" }).waitFor();
    await enter("approve");
    await page.getByText("Connected to Microsoft 365").first().waitFor();
    await toReview();
    await add();
  });
});

test("xm_07: who is protected, how often users are looked for, and the worker are settings of the tenant", async () => {
  const { page, person, world } = at;
  const { client_id, client_secret: secret } = world.simulator;
  const identity = { method: "client-secret", tenant: TENANT, client_id, secret };
  await world.post("/connectors", { service: "microsoft-365", name: "contoso-365", organization: TENANT, identity }, at.authorization);
  await page.goto("/connectors");
  await at.button("Actions for contoso-365").click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByRole("link", { name: /^Advanced settings of the tenant/ }).click();
  await page.getByRole("radio", { name: /^Manual/ }).check();
  await at.field("Minutes between").fill("60");
  await at.choose("Default worker", /\(in the server\)$/);
  await person.expectAccessible();
  await at.button("Save").click();
  await page.getByText("The tenant settings are saved").first().waitFor();
  const settings = () => world.get<Record<string, unknown>>("/connectors/contoso-365/tenant-settings", at.token);
  expect(await settings()).toMatchObject({ licensing: "manual", sync: { interval_minutes: 60 }, worker: "built-in" });
  await page.getByRole("tab", { name: "Users" }).click();
  await at.button("Look for new ones now").click();
  await page.getByRole("switch", { name: "Protect Adele Vance" }).click();
  await expect.poll(async () => (await settings())["protected"]).toBe(1);
  await person.expectAccessible();
});
