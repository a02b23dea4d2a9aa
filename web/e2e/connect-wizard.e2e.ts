import { expect, test } from "vitest";
import { accept, desk } from "./support/desk";

const at = desk();

test("the browser's way back leads through the steps, and loses nothing", async () => {
  const { page } = at;
  await at.toOrganization("contoso");
  await accept(await at.authorize(), at.world.simulator.person);
  await page.getByText("Connected to Azure DevOps").waitFor();
  await at.next("Organizations");
  await page.getByText("Can be connected", { exact: true }).waitFor();
  await at.next("Settings");
  await at.field("Name").fill("kept-name");
  await at.next("Review");
  await page.goBack();
  await at.at("Settings");
  expect(await at.field("Name").inputValue()).toBe("kept-name");
  await page.goBack();
  await at.at("Organizations");
  await page.goForward();
  await at.at("Settings");
  // What no name may be holds it here, also on the browser's way forward.
  await at.field("Name").fill("no");
  await page.goForward();
  await at.at("Settings");
  await at.field("Name").fill("kept-name");
  await at.at("Settings");
  await at.next("Review");
  await at.add();
  // Behind the success page nothing waits that would add it again.
  await page.goBack();
  await at.at("Connection");
  expect((await at.connectors()).map(({ name }) => name)).toEqual(["kept-name"]);
});

test("a last step that was clicked twice, and whose answer was lost, adds one connector", async () => {
  const { page } = at;
  await at.toOrganization("contoso");
  await accept(await at.authorize(), at.world.simulator.person);
  await page.getByText("Connected to Azure DevOps").waitFor();
  await at.toReview();
  await page.route("**/api/v1/connect/*/add", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await at.button("Add connector").dblclick();
  await page.getByRole("alert").getByText(/^The server cannot be reached\. Whether this was done is not known/).waitFor();
  expect(await at.connectors()).toHaveLength(1);
  await page.unroute("**/api/v1/connect/*/add");
  await at.add();
  expect(await at.connectors()).toHaveLength(1);
});

test("a page that is loaded anew goes on with the sign-in that there was", async () => {
  await at.toOrganization("contoso");
  await accept(await at.authorize(), at.world.simulator.person);
  await at.page.getByText("Connected to Azure DevOps").waitFor();
  await at.page.reload();
  await at.page.getByText(`Signed in as ${at.world.simulator.person}`).waitFor();
  expect(await at.field("Organization").inputValue()).toBe("contoso");
  await at.toReview();
  await at.add();
});

test("on a telephone in the dark every step of the wizard fits, and nothing of it is inaccessible", async () => {
  const { page, person, world } = at;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  const check = async () => {
    await person.expectFits();
    await person.expectAccessible();
  };
  for (const kind of ["documentation", "azure-devops-server", "microsoft-365"]) {
    await page.goto(`/connect/${kind}`);
    await page.getByRole("textbox").first().waitFor();
    await check();
  }
  await page.goto("/connect/azure-devops");
  await at.field("Organization").fill("contoso");
  for (const method of ["Managed identity", "Federated identity (another tenant)", "App with a certificate", "Workload identity", "Personal Access Token (PAT)"]) {
    await at.method(method);
    await at.field("Client id").or(at.field("Personal Access Token (PAT)")).first().waitFor();
    await check();
  }
  await at.method("User account");
  await at.button("Sign in to Azure DevOps").click();
  await at.button("Authorize").waitFor();
  await check();
  const [popup] = await Promise.all([page.waitForEvent("popup"), at.button("Authorize").click()]);
  await accept(popup, world.simulator.person);
  await page.getByText("Connected to Azure DevOps").waitFor();
  await check();
  await at.next("Organizations");
  await page.getByText("Can be connected", { exact: true }).waitFor();
  await check();
  for (const step of ["Settings", "Review"]) {
    await at.next(step);
    await check();
  }
  await at.add();
  await check();
});
