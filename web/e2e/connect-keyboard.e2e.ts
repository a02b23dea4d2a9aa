import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasFocus, tabTo } from "./support/keys";
import { Person } from "./support/person";
import { ADMIN, World } from "./support/world";

let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.setUp();
});
afterAll(() => world.stop());

/** Enabled when its turn comes: a person would wait. */
async function press(page: Page, target: Locator) {
  await tabTo(page, target);
  await expect.poll(() => target.isEnabled()).toBe(true);
  await page.keyboard.press("Enter");
}

async function type(page: Page, target: Locator, text: string) {
  await tabTo(page, target);
  await page.keyboard.type(text);
}

test("sre_14 sre_16 sre_25 xa_05: an organization is connected and backed up by the keyboard alone", async () => {
  const person = await Person.arrive(world);
  const { page } = person;
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await page.goto("/sign-in");
  await type(page, page.getByLabel("Name"), ADMIN.name);
  await type(page, page.getByLabel("Password"), ADMIN.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await press(page, page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Connectors" }));
  await press(page, button("Add connector").first());
  await press(page, button("Connect Azure DevOps"));
  await type(page, page.getByLabel("Organization"), "contoso");

  // The ways to sign in are one stop of the Tab key; the arrows go through them.
  await tabTo(page, page.getByRole("radio", { name: /^User account/ }));
  await page.keyboard.press("ArrowDown");
  expect(await page.getByRole("radio", { name: /^Managed identity/ }).isChecked()).toBe(true);
  await page.keyboard.press("ArrowUp");
  expect(await page.getByRole("radio", { name: /^User account/ }).isChecked()).toBe(true);

  // Escape closes the dialog, gives the focus back, and keeps nothing.
  await press(page, button("Sign in to Azure DevOps"));
  await page.getByRole("dialog", { name: "Authorize Azure DevOps" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await hasFocus(page, button("Sign in to Azure DevOps"));
  await press(page, button("Sign in to Azure DevOps"));
  const [popup] = await Promise.all([page.waitForEvent("popup"), press(page, button("Authorize"))]);
  await type(popup, popup.getByLabel("Account"), world.simulator.person);
  await press(popup, popup.getByRole("button", { name: "Accept" }));

  await page.getByText("Connected to Azure DevOps").waitFor();
  // The fields are gone; the keyboard is on what came instead of them.
  await hasFocus(page, button("Sign in with different account"));
  for (const step of ["Organizations", "Settings", "Review"]) {
    await press(page, button("Next"));
    await page.locator('[aria-current="step"]', { hasText: step }).waitFor();
    // Whoever sees nothing is where the new step begins.
    await page.getByRole("group", { name: step }).and(page.locator(":focus")).waitFor();
  }
  await press(page, button("Add connector"));
  await press(page, button("Run backup"));
  await page.waitForURL("**/runs/*");
  await page.getByRole("status").getByText("Succeeded", { exact: true }).waitFor();
  await person.leave();
});
