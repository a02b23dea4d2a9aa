import { beforeAll, expect, test } from "vitest";
import { keeper, type Item } from "./support/keeper";
import { focusIsSeen, hasFocus, press, tabTo } from "./support/keys";
import { Person } from "./support/person";
import { ended, type Run } from "./support/protected";
import { ADMIN } from "./support/world";

const k = keeper({ workItems: 30, backups: 1 });
let lost: Item;

beforeAll(async () => {
  lost = (await k.items("work-item"))[0] as Item;
  await k.world.askService("DELETE", `_apis/wit/workitems/${lost.id}?api-version=7.1`);
});

test("somebody signs in without a mouse", async () => {
  const person = await Person.arrive(k.world);
  const { page } = person;
  await page.goto("/connectors");
  await page.waitForURL("**/sign-in?**");
  await tabTo(page, page.getByLabel("Name"));
  await page.keyboard.type(ADMIN.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await tabTo(page, page.getByLabel("Password"), true);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Connectors" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Connectors" }).waitFor();
  await page.keyboard.press("Tab");
  // The first stop leads past the navigation.
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest("main") !== null)).toBe(true);
  await person.leave();
});

test("a backup is started from the row's menu without a mouse", async () => {
  const { page } = k;
  await page.goto("/");
  await press(page, page.getByRole("link", { name: "Connectors", exact: true }));
  await press(page, page.getByRole("button", { name: "Actions for contoso" }));
  const run = page.getByRole("menuitem", { name: "Run backup" });
  await run.waitFor();
  while (!(await run.evaluate((element) => element === document.activeElement))) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  expect((await k.runEnded()).state).toBe("succeeded");
  await page.getByText("Succeeded", { exact: true }).first().waitFor();
});

test("something lost is found, put into the basket, planned and brought back without a mouse", async () => {
  const { page } = k;
  await page.goto("/");
  await press(page, page.getByRole("link", { name: "Search", exact: true }));
  await page.getByRole("heading", { level: 1, name: "Search" }).waitFor();
  await tabTo(page, page.getByLabel("Words"));
  await page.keyboard.type(lost.name);
  await page.keyboard.press("Enter");
  const hit = page.getByRole("list", { name: "What was found" }).getByRole("link", { name: lost.name });
  await press(page, hit);
  await page.getByRole("heading", { level: 1, name: `${lost.id} · ${lost.name}` }).waitFor();
  await tabTo(page, page.getByRole("tab", { name: "Form" }));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForURL(/tab=/);
  await tabTo(page, k.button("Add to basket"));
  expect(await focusIsSeen(page)).toBe(true);
  await page.keyboard.press("Enter");
  await tabTo(page, k.button("Restore basket: 1 entry"), true);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("radio", { name: /^Skip/ }));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await press(page, k.button("Make the plan"));
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  await press(page, k.button("Apply…"));
  await k.dialog.waitFor();
  // The dialog has the keyboard, and gives it back.
  await page.keyboard.press("Escape");
  await k.dialog.waitFor({ state: "detached" });
  expect(await k.button("Apply…").evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  await press(page, k.button("Apply", k.dialog));
  await page.getByText("Applied", { exact: true }).waitFor();
  const back = await k.world.askService("GET", `_apis/wit/workitems/${lost.id}?api-version=7.1`);
  expect(back.status).toBe(200);
});

test("a dialog that a menu opened gives the keyboard back to what opened the menu", async () => {
  const { page } = k;
  await page.goto("/connectors");
  const menu = page.getByRole("button", { name: "Actions for contoso" });
  for (const end of ["Escape", "Cancel"]) {
    await press(page, menu);
    const remove = page.getByRole("menuitem", { name: "Delete connector" });
    await remove.waitFor();
    while (!(await remove.evaluate((element) => element === document.activeElement))) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await k.dialog.waitFor();
    if (end === "Escape") await page.keyboard.press("Escape");
    else await press(page, k.button(end, k.dialog));
    await k.dialog.waitFor({ state: "detached" });
    await hasFocus(page, menu);
  }
});

test("what comes when more issues are shown, or one is acknowledged, has the keyboard", async () => {
  const { page } = k;
  await k.world.simulate("/__faults", { path: "*/_apis/wit/workitems/*/comments*", fault: "403" });
  const { id } = await k.post<Run>("/backups", { connector: k.made.connector, full: true });
  await ended(k.world, k.made.token, id);
  await k.world.simulate("/__faults", undefined, "DELETE");
  await page.goto("/issues");
  const rows = page.getByRole("button", { name: /^Acknowledge: / });
  await press(page, k.button(/^Show .* more$/));
  await hasFocus(page, rows.nth(5));
  await tabTo(page, rows.nth(2), true);
  const next = await rows.nth(3).getAttribute("aria-label");
  await page.keyboard.press("Enter");
  await k.dialog.getByLabel("Why this is acceptable").fill("Known");
  await press(page, k.button("Acknowledge", k.dialog));
  await k.dialog.waitFor({ state: "detached" });
  await hasFocus(page, page.getByRole("button", { name: next ?? "", exact: true }));
});

test("a dialog keeps the keyboard within it, and the popover in it closes alone", async () => {
  const { page } = k;
  await page.goto("/people");
  await press(page, k.button("Add account"));
  const name = k.dialog.getByLabel(/^Name/);
  await tabTo(page, name);
  await page.keyboard.type("robot");
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null || document.activeElement === document.body)).toBe(true);
  }
  await press(page, k.button("Show as CLI or curl", k.dialog));
  const shown = page.getByRole("dialog", { name: "The same outside the console" });
  // There is no password yet: what cannot be saved is no command either.
  await shown.getByText(/^Fill in the form first/).waitFor();
  expect(await shown.locator("pre").count()).toBe(0);
  await page.keyboard.press("Escape");
  await shown.waitFor({ state: "detached" });
  expect(await name.inputValue()).toBe("robot");
});

test("a message at the edge of the page does not keep the keyboard", async () => {
  const { page } = k;
  await page.goto("/alarms");
  await page.getByLabel("Oldest good backup, in hours").fill("30");
  await press(page, k.button("Save"));
  const message = page.getByRole("listitem").filter({ hasText: "Saved" });
  await message.waitFor();
  const stops = new Set<string>();
  for (let steps = 0; steps < 12; steps += 1) {
    await page.keyboard.press("Tab");
    stops.add(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? ""));
    expect(await message.evaluate((element) => element.contains(document.activeElement))).toBe(false);
  }
  expect(stops.size).toBeGreaterThan(5);
  await message.waitFor({ state: "detached" });
});
