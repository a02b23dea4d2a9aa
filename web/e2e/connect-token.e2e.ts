import { describe, expect, test } from "vitest";
import { desk } from "./support/desk";

const at = desk();

const REPOSITORY = "https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project";
const WIKI = "https://dev.azure.com/contoso/Main%20Project/_wiki/wikis/Main%20Project.wiki";

const methods = async () => (await at.connectors()).map(({ organization, method }) => [organization, method]);

describe("advanced mode", () => {
  async function advanced(secret: string) {
    await at.page.goto("/connect/azure-devops/advanced");
    await at.field("Organization").fill(at.world.simulator.organization);
    await at.field("Personal Access Token (PAT)").fill(secret);
    await at.button("Proceed").click();
  }

  test("xa_07 xa_08 xa_14 sre_39: connects by a token, and no page shows it again", async () => {
    const { page, person, world } = at;
    await page.goto("/connect");
    await page.getByRole("link", { name: "advanced mode" }).first().click();
    await page.waitForURL("**/connect/azure-devops/advanced");
    await person.expectAccessible();
    expect(await at.field("Personal Access Token (PAT)").getAttribute("type")).toBe("password");
    await advanced(world.simulator.pat);
    await at.button("Run backup").waitFor();
    expect(await page.content()).not.toContain(world.simulator.pat);
    expect(await methods()).toEqual([["contoso", "pat"]]);
    for (const path of ["/connectors", "/connectors/contoso", "/connectors/contoso?tab=settings", "/connectors/contoso/sign-in", "/vault", "/vault/connector%20contoso", "/audit"]) {
      await person.open(path);
      const typed = await page.locator("input, textarea").evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
      expect((await page.content()) + typed.join(" "), path).not.toContain(world.simulator.pat);
    }
    await page.goto("/connect/azure-devops/advanced?done=contoso");
    await at.backUp();
  });

  test("sre_40: a token that is not valid leaves no connector behind", async () => {
    await advanced("x".repeat(52));
    await at.page.getByRole("alert").first().waitFor();
    expect(await at.connectors()).toEqual([]);
  });

  test("xa_09: a token is entered once, kept in the Password Manager, and chosen for the next connector", async () => {
    const { page, world } = at;
    await page.goto("/connect/azure-devops/advanced");
    await at.field("Organization").fill("contoso");
    await at.field("Name").fill("first-one");
    await at.field("Personal Access Token (PAT)").fill(world.simulator.pat);
    await at.field("Keep in the Password Manager as").fill("contoso reader");
    await at.button("Proceed").click();
    await at.button("Run backup").waitFor();
    await page.goto("/connect/azure-devops/advanced");
    await at.field("Organization").fill("contoso");
    await at.field("Name").fill("second-one");
    await at.choose("Credential", "contoso reader");
    await at.field("Personal Access Token (PAT)").waitFor({ state: "detached" });
    await at.button("Proceed").click();
    await at.button("Run backup").waitFor();
    const kept = (await at.connectors()).map(({ name, credential }) => [name, credential]);
    expect(kept.toSorted()).toEqual([
      ["first-one", "contoso reader"],
      ["second-one", "contoso reader"],
    ]);
    await at.person.open("/vault/contoso%20reader");
    await page.getByRole("link", { name: "first-one" }).waitFor();
    await page.getByRole("link", { name: "second-one" }).waitFor();
  });
});

test("xa_10 xa_11 xa_12: advanced mode sets what comes in by itself, when it is looked for, and the worker", async () => {
  const { page, world } = at;
  await page.goto("/connect/azure-devops/advanced");
  await at.field("Organization").fill("contoso");
  await at.field("Personal Access Token (PAT)").fill(world.simulator.pat);
  await page.getByRole("switch", { name: "Automatically add new ones to the backup" }).uncheck();
  await page.getByRole("radio", { name: "At chosen hours" }).check();
  await at.field("Hours of the day").fill("25");
  await page.getByText("Give hours from 0 to 23, for example 2, 14.").waitFor();
  expect(await at.button("Proceed").isDisabled()).toBe(true);
  await at.field("Hours of the day").fill("14, 2");
  await at.field("Time zone").fill("Europe/Berlin");
  await at.choose("Default worker", /\(in the server\)$/);
  await at.button("Proceed").click();
  await at.button("Run backup").waitFor();
  const [connector] = (await world.get<{ items: Record<string, unknown>[] }>("/connectors", at.token)).items;
  expect(connector).toMatchObject({ worker: "built-in", sync: { add_new: false, hours: [2, 14], time_zone: "Europe/Berlin" } });
});

describe("the documentation connector", () => {
  async function begin(address: string, secret: string) {
    await at.page.goto("/connect/documentation");
    await at.field("Azure DevOps URL").fill(address);
    await at.field("Personal Access Token (PAT)").fill(secret);
  }

  test("sre_04 sre_34: is a type of its own, and asks for name, address and token", async () => {
    const { page, person } = at;
    await page.goto("/connect");
    await page.getByRole("tab", { name: "Documentation" }).click();
    await page.getByRole("radio", { name: /^Documentation connector \(Azure DevOps\)/ }).check();
    await person.expectAccessible();
    await at.button("Next").click();
    await page.waitForURL("**/connect/documentation");
    await at.field("Name").waitFor();
    await at.field("Azure DevOps URL").waitFor();
    await page.getByRole("radio", { name: /^Personal Access Token \(PAT\)/ }).waitFor();
    await at.field("Personal Access Token (PAT)").waitFor();
    await person.expectAccessible();
  });

  test("sre_12 sre_25 sre_34 sre_35: a repository's address connects its organization, beside the connector of an account", async () => {
    await at.connectAccount("by-account");
    await begin(REPOSITORY, at.world.simulator.pat);
    await at.page.getByText("The organization is contoso; the address leads to Main Project in Main Project.").waitFor();
    await at.next("Review");
    await at.page.getByText(/checks? passed/).first().waitFor();
    expect(await methods()).toEqual([["contoso", "user"]]);
    await at.person.expectAccessible();
    await at.add();
    expect((await methods()).toSorted()).toEqual([
      ["contoso", "pat"],
      ["contoso", "user"],
    ]);
    await at.backUp();
  });

  test("sre_40: a token that is refused at the end is told with its checks once", async () => {
    const { page, world } = at;
    await begin(REPOSITORY, world.simulator.pat);
    await at.next("Review");
    await page.getByText(/checks? passed/).first().waitFor();
    // Between the review and the end the organization is lost.
    await page.route("**/api/v1/connect/*/add", async (route) => {
      const checks = [{ name: "credential", outcome: "fail", message: "Invalid or expired token", blocks: true }];
      const json = { type: "", title: "", status: 422, code: "credential-refused", detail: "The service refuses the credential", checks };
      await route.fulfill({ status: 422, contentType: "application/problem+json", json });
    });
    await at.button("Add connector").click();
    await page.getByText("Invalid or expired token").waitFor();
    expect(await page.getByRole("list", { name: "Results of the checks" }).count()).toBe(1);
    expect(await page.getByText(/checks? passed/).count()).toBe(0);
  });

  test.each([
    ["sre_36: the older address of a repository", "https://contoso.visualstudio.com/Main%20Project/_git/Docs/"],
    ["sre_37: a wiki's address", WIKI],
  ])("%s does, too", async (_, address) => {
    await begin(address, at.world.simulator.pat);
    await at.next("Review");
    await at.add();
    expect(await methods()).toEqual([["contoso", "pat"]]);
  });

  test("sre_38: an address that names neither, or is elsewhere, is refused while it is typed", async () => {
    await begin("https://dev.azure.com/contoso", "any");
    const wrong = [
      ["https://dev.azure.com/contoso", "Give the address of a repository or a wiki, not only of the organization."],
      ["http://dev.azure.com/contoso/Main/_git/Main", "An address begins with https://."],
      ["https://gitlab.com/contoso/Main/_git/Main", "Only addresses of dev.azure.com and NAME.visualstudio.com are understood."],
      ["https://dev.azure.com/contoso/Main/_wiki/wikis", "The wiki is missing: …/PROJECT/_wiki/wikis/WIKI"],
    ] as const;
    for (const [address, why] of wrong) {
      await at.field("Azure DevOps URL").fill(address);
      await at.page.getByText(why, { exact: true }).waitFor();
      expect(await at.button("Next").isDisabled(), address).toBe(true);
    }
  });
});

describe("Azure DevOps Server", () => {
  test("xa_07: is connected by address, collection, user name and token, to the first backup", async () => {
    const { page, person, world } = at;
    await page.goto("/connect");
    await at.button("Connect Azure DevOps Server").click();
    await at.field("Service address").fill("contoso");
    await page.getByText("Give the whole address with https:// or http://, without a user name, a password or a query.").waitFor();
    await at.field("Service address").fill(world.simulator.url);
    await at.field("Collection").fill("contoso");
    // A server has no sign-in of people: the token is the only way.
    expect(await page.getByRole("radio").count()).toBe(1);
    await at.field("Username").fill("backup");
    await at.field("Personal Access Token (PAT)").fill(world.simulator.pat);
    await person.expectAccessible();
    await at.next("Settings");
    await at.next("Review");
    await page.getByText(/checks? passed/).first().waitFor();
    await at.add();
    expect(await methods()).toEqual([["contoso", "pat"]]);
    await at.backUp();
  });
});
