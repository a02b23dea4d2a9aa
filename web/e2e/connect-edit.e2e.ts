import { beforeEach, describe, expect, test } from "vitest";
import { accept, desk } from "./support/desk";
import { snapshotOf } from "./support/protected";

const at = desk();

async function row(name: string, action: string) {
  await at.button(`Actions for ${name}`).click();
  await at.page.getByRole("menuitem", { name: action }).click();
}

const asked = () => at.page.getByRole("alertdialog");

describe("a connector of a token", () => {
  beforeEach(async () => {
    await at.world.connect(at.token, "contoso");
    await at.page.goto("/connectors");
  });

  test("sre_42: the row's menu deletes after a question, and cancel deletes nothing", async () => {
    await row("contoso", "Delete connector");
    await asked().getByText("Its backups stay").waitFor();
    await asked().getByRole("button", { name: "Cancel" }).click();
    expect(await at.connectors()).toHaveLength(1);
    await row("contoso", "Delete connector");
    await asked().getByRole("button", { name: "Delete" }).click();
    await at.page.getByText("Nothing is connected yet").waitFor();
    expect(await at.connectors()).toEqual([]);
  });

  test("sre_44: what was backed up is there after its connector is gone, and can be opened", async () => {
    const { page, person, world } = at;
    const snapshot = await snapshotOf(world, at.token, "contoso");
    await row("contoso", "Delete connector");
    await asked().getByText("Its backups stay").waitFor();
    await asked().getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing is connected yet").waitFor();
    await page.getByRole("link", { name: "Snapshots", exact: true }).click();
    await page.getByRole("row", { name: /contoso/ }).first().getByRole("link").first().click();
    await page.locator(`a[href*="${snapshot}"]`).first().click();
    await page.waitForURL(`**/snapshots/${snapshot}*`);
    await person.open(`/snapshots/${snapshot}?kind=git-repository`);
    await page.getByRole("row").getByRole("link", { name: "Main Project", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Main Project", exact: true }).waitFor();
    await page.getByRole("tab", { name: "Files", exact: true }).waitFor();
  });

  test("sre_43: what could not be removed is named with the reason, and asked for again", async () => {
    const { page } = at;
    await at.world.connect(at.token, "second");
    // A server that removes one of two.
    await page.route("**/api/v1/connectors/remove", async (route) => {
      const answer = await route.fetch({ postData: { names: ["contoso"] } });
      const { items } = (await answer.json()) as { items: unknown[] };
      const problem = { type: "", title: "", status: 503, code: "catalog-failed", detail: "the catalog is busy" };
      await route.fulfill({ json: { items: [...items, { name: "second", removed: false, problem }] } });
    });
    for (const name of ["contoso", "second"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Remove" }).click();
    await asked().getByRole("button", { name: "Remove" }).click();
    await asked().getByRole("alert").getByText("second stayed: the catalog is busy").waitFor();
    await at.person.expectAccessible();
    await page.unroute("**/api/v1/connectors/remove");
    await asked().getByRole("button", { name: "Try again" }).click();
    await page.getByText("Nothing is connected yet").waitFor();
    expect(await at.connectors()).toEqual([]);
  });

  test("sre_43: all that are selected go with one confirmation, and the others stay", async () => {
    await at.world.connect(at.token, "second");
    await at.world.connect(at.token, "third");
    const { page } = at;
    await page.getByRole("checkbox", { name: "Select contoso" }).check();
    await page.getByRole("checkbox", { name: "Select third" }).check();
    const remove = page.getByRole("toolbar").getByRole("button", { name: "Remove" });
    await remove.click();
    await asked().getByRole("button", { name: "Cancel" }).click();
    expect(await at.connectors()).toHaveLength(3);
    await remove.click();
    await asked().getByRole("button", { name: "Remove" }).click();
    await asked().waitFor({ state: "detached" });
    await page.getByRole("row", { name: /^Select second / }).waitFor();
    expect(await page.getByRole("row", { name: /^Select (contoso|third) / }).count()).toBe(0);
    expect(await remove.isDisabled()).toBe(true);
    expect(await remove.evaluate((button) => button === document.activeElement)).toBe(true);
    expect((await at.connectors()).map(({ name }) => name)).toEqual(["second"]);
  });

  test("sre_41: editing begins with the current values, checks what is changed, and keeps the rest", async () => {
    const { page, person, world } = at;
    const { pat } = (await world.simulate("/__organizations", { name: "adventure-works" })) as { pat: string };
    const credential = { name: "adventure", url: world.simulator.url, identity: { method: "pat", secret: pat } };
    await world.post("/credentials", credential, at.authorization);
    await row("contoso", "Edit connector");
    await person.settled();
    // It was connected by an address of its own, as a collection of a server.
    expect(await at.field("Collection").inputValue()).toBe("contoso");
    expect(await at.field("Service address").inputValue()).toBe(world.simulator.url);
    expect(await at.button("Save").isDisabled()).toBe(true);
    await person.expectAccessible();
    await at.field("Collection").fill("nowhere");
    await at.button("Save").click();
    await page.getByRole("alert").first().waitFor();
    expect((await at.connectors()).map(({ organization }) => organization)).toEqual(["contoso"]);
    await at.field("Collection").fill("adventure-works");
    await at.choose("Credential", /^adventure/);
    await at.button("Save").click();
    await page.getByText("contoso is saved").first().waitFor();
    expect((await at.connectors()).map((one) => [one.organization, one.credential])).toEqual([["adventure-works", "adventure"]]);
  });

  test("sre_41 sre_51: another name is held against the others at once, and the connector's page follows", async () => {
    const { page } = at;
    await at.world.connect(at.token, "second");
    await row("contoso", "Edit connector");
    expect(await at.field("Name").inputValue()).toBe("contoso");
    await at.field("Name").fill("Second");
    await page.getByText("A connector with this name already exists", { exact: true }).waitFor();
    expect(await at.button("Save").isDisabled()).toBe(true);
    await at.field("Name").fill("contoso-main");
    await at.button("Save").click();
    await page.waitForURL("**/connectors/contoso-main?tab=settings");
    await page.getByRole("heading", { level: 1, name: "contoso-main" }).waitFor();
    expect(await at.field("Name").inputValue()).toBe("contoso-main");
    expect((await at.connectors()).map(({ name }) => name).toSorted()).toEqual(["contoso-main", "second"]);
  });

  test("sre_27 sre_28: its repositories and their recent commits are listed", async () => {
    await at.person.open("/connectors/contoso?tab=repositories");
    await at.page.getByRole("row", { name: /Main Project/ }).first().waitFor();
    await at.button("Recent commits of Main Project/Main Project").click();
    const commits = at.page.getByRole("table", { name: "Recent commits of Main Project/Main Project" });
    await commits.getByRole("row", { name: /^[0-9a-f]{8} / }).first().waitFor();
    await at.person.expectAccessible();
  });
});

test("nothing is said of policies while they cannot be read", async () => {
  const { page, world } = at;
  await world.connect(at.token, "contoso");
  const json = { type: "", title: "", status: 500, code: "catalog-failed", detail: "the catalog is busy" };
  await page.route("**/api/v1/policies?*", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", json }));
  await page.route("**/api/v1/policies", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", json }));
  await page.goto("/connectors/contoso");
  await page.getByText("This could not be loaded").waitFor();
  expect(await page.getByText("No policy: it is not backed up").count()).toBe(0);
});

test("what another window saves does not take away what is being typed", async () => {
  const { page, world } = at;
  await world.connect(at.token, "contoso");
  await at.person.open("/connectors/contoso?tab=settings");
  await at.field("Name").fill("half-typed");
  await world.patch("/connectors/contoso", { sync: { add_new: false, interval_minutes: 90 } }, at.token);
  // A run makes the page read its connector again.
  await snapshotOf(world, at.token, "contoso");
  await expect.poll(() => at.field("Minutes between").inputValue(), { timeout: 15_000 }).toBe("90");
  expect(await at.field("Name").inputValue()).toBe("half-typed");
  await at.button("Save").click();
  await page.waitForURL("**/connectors/half-typed?tab=settings");
  expect((await world.get<{ sync: object }>("/connectors/half-typed", at.token)).sync).toMatchObject({ add_new: false, interval_minutes: 90 });
});

test("sre_27: an account without access to any project is told so where its repositories would be", async () => {
  const { page, person, world } = at;
  await world.connect(at.token, "contoso");
  await page.route("**/api/v1/connectors/contoso/repositories", (route) => route.fulfill({ json: { items: [] } }));
  await person.open("/connectors/contoso?tab=repositories");
  await page.getByText("No repository is reached").waitFor();
  await page.getByText(/access to the organization without access to a project/).waitFor();
  await person.expectAccessible();
});

describe("a connector of an account", () => {
  beforeEach(async () => {
    await at.connectAccount("contoso", "lee.gu@contoso.example");
    await at.page.goto("/connectors");
  });

  test("sre_20 sre_41: a different account takes the place of the old one, and closing the window changes nothing", async () => {
    const { page, person, world } = at;
    await row("contoso", "Edit connector");
    await at.button("Sign in with different account").click();
    await page.waitForURL("**/connectors/contoso/sign-in");
    await person.expectAccessible();
    const popup = await at.authorize();
    await popup.close();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    expect(await at.account()).toBe("lee.gu@contoso.example");
    await accept(await at.authorize(), world.simulator.person);
    await page.getByText(`Signed in as ${world.simulator.person}`).waitFor();
    expect(await at.account()).toBe("lee.gu@contoso.example");
    await at.button("Use this sign-in").click();
    await page.waitForURL("**/connectors/contoso");
    await page.getByText("contoso is signed in again").first().waitFor();
    expect(await at.account()).toBe(world.simulator.person);
    await at.button("Run backup").click();
    await at.succeeded();
  });

  test("sre_20: an account that the organization does not let in does not replace the one that works", async () => {
    await at.page.goto("/connectors/contoso/sign-in");
    await accept(await at.authorize(), "megan.bowen@contoso.example");
    await at.button("Use this sign-in").click();
    const refusal = at.page.getByRole("alert").filter({ hasText: "not a member of contoso" });
    await refusal.waitFor();
    expect(await at.account()).toBe("lee.gu@contoso.example");
    await at.button("Sign in with different account").click();
    await refusal.waitFor({ state: "detached" });
    await at.page.getByRole("list", { name: "Results of the checks" }).waitFor({ state: "detached" });
    await at.page.goto("/connectors/contoso?tab=checks&run=now");
    await at.page.getByText(/Everything can be backed up\.|not everything can be backed up\./).first().waitFor();
  });

  test("sre_20: whose sign-in is replaced with it is named, and a credential is told by its account wherever it is chosen", async () => {
    const { page } = at;
    const [{ credential } = { credential: "" }] = await at.connectors();
    const identity = { method: "pat", secret: at.world.simulator.pat };
    await at.world.post("/connectors", { service: "azure-devops", name: "second-one", organization: "contoso", identity }, at.authorization);
    await at.world.patch("/connectors/second-one", { restore_credential: credential }, at.token);
    await page.goto("/connectors/contoso/sign-in");
    await page.getByText("The connector second-one signs in with it, too").waitFor();
    await at.method("Managed identity");
    await at.choose("Managed identity", "User-assigned: backup-identity");
    await at.button("Use this sign-in").click();
    await page.waitForURL("**/connectors/contoso");
    // Its name is still that of the account.
    const told = `${credential} (User-assigned`;
    await page.getByText(told).waitFor();
    await page.goto("/connectors/contoso?tab=settings");
    const field = page.getByRole("combobox", { name: "Credential", exact: true });
    await field.filter({ hasText: told }).waitFor();
    await field.click();
    await page.getByRole("option").filter({ hasText: told }).waitFor();
    await at.person.expectAccessible();
  });

  test("sre_22 sre_41: the machine's identity takes the place of a person", async () => {
    await row("contoso", "Sign in again");
    await at.method("Managed identity");
    await at.choose("Managed identity", "User-assigned: backup-identity");
    await at.button("Use this sign-in").click();
    await at.page.waitForURL("**/connectors/contoso");
    expect((await at.connectors()).map(({ method }) => method)).toEqual(["managed-identity"]);
  });
});
