import { expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { Person } from "./support/person";

const k = keeper({ seed: "small", backups: 1 });

test("an account is made, limited, given another password, shut out and removed", async () => {
  const { page, person } = k;
  const otto = { name: "otto", password: "a long password for the office" };
  await person.open("/people");
  await k.button("Add account").click();
  await k.dialog.getByLabel(/^Name/).fill(otto.name);
  await k.dialog.getByLabel(/^Password/).fill("otto12");
  await k.button("Add account", k.dialog).click();
  await k.dialog.getByText(/12 characters/).first().waitFor();
  await person.expectAccessible();
  await k.dialog.getByLabel(/^Password/).fill(otto.password);
  const add = await k.shownAs(k.dialog);
  expect(add.curl).not.toContain(otto.password);
  await k.button("Add account", k.dialog).click();
  await k.told("otto can sign in now");

  const other = await Person.arrive(k.world);
  await other.signIn(otto);
  await person.open("/people/otto");
  await k.button("Roles and access").click();
  await k.dialog.getByRole("checkbox", { name: /^Restorer/ }).check();
  const edit = await k.shownAs(k.dialog);
  await k.button("Cancel", k.dialog).click();
  for (const command of [edit.cli, edit.curl]) {
    await k.type(command);
    expect(await k.get("/people/otto")).toMatchObject({ roles: ["viewer", "restorer"] });
  }
  await person.open("/people/otto");
  await page.getByText("Viewer, Restorer").waitFor();
  // It holds from the next page on.
  await other.open("/restore");
  await other.page.getByRole("heading", { level: 1, name: "Restore" }).waitFor();

  await k.button("Disable").click();
  const disable = await k.shownAs(k.dialog);
  await k.button("Disable", k.dialog).click();
  await k.told("otto is disabled");
  // The open page may notice first, and be on its way to the sign-in.
  await other.page.goto("/runs").catch(() => undefined);
  await other.page.waitForURL("**/sign-in?**");
  const enable = await k.shownAs();
  for (const command of [enable.cli, disable.curl, enable.curl]) await k.type(command);
  await person.open("/people/otto");
  await k.button("Set a password").click();
  await k.dialog.getByLabel(/^Password/).fill("another long password");
  const reset = await k.shownAs(k.dialog);
  await k.button("Set password", k.dialog).click();
  await k.told("otto has a new password");
  await k.type(reset.cli, { FILE: otto.password });
  await other.signIn(otto);
  await other.leave();

  await k.button("Remove").click();
  const remove = await k.shownAs(k.dialog);
  await k.button("Remove", k.dialog).click();
  await k.told("otto is removed");
  for (const command of [add.cli, add.curl.replace("PASSWORD", otto.password)]) {
    await k.type(command, { FILE: otto.password });
    await k.type(remove.cli);
  }
});

test("a token is made for less than its owner may, shown once, and revoked", async () => {
  const { page, person } = k;
  await person.open("/tokens");
  await k.button("Create token").click();
  await k.dialog.getByLabel(/^What it is for/).fill("not a name!");
  await k.button("Create token", k.dialog).click();
  await k.dialog.getByText(/letters|characters/i).first().waitFor();
  await k.dialog.getByLabel(/^What it is for/).fill("report");
  // A token makes no tokens: no command could.
  expect(await k.button("Show as CLI or curl", k.dialog).count()).toBe(0);
  await k.button("Create token", k.dialog).click();
  await k.dialog.getByText("Keep this token").waitFor();
  await person.expectAccessible();
  const [secret = "", command = ""] = await k.dialog.locator("pre").allTextContents();
  await k.dialog.getByRole("checkbox").check();
  await k.button("Close", k.dialog).click();
  expect(await page.content()).not.toContain(secret);
  // The line that the page gave for it works, and the token does no more than it may.
  await k.type(command, { FILE: secret });
  await expect(k.get("/people")).resolves.toBeDefined();
  await expect(k.world.get("/people", secret)).rejects.toThrow("403");

  await k.button("Revoke report").click();
  const revoke = await k.shownAs(k.dialog);
  await k.type(revoke.cli);
  await expect(k.world.get("/me", secret)).rejects.toThrow("401");
  await k.button("Revoke", k.dialog).click();
  await k.dialog.getByRole("alert").waitFor();
  await k.button("Cancel", k.dialog).click();
});

test("a credential is kept, tried, renewed only by one that works, and removed", async () => {
  const { page, person } = k;
  const { pat } = k.world.simulator;
  await person.open("/vault");
  await k.button("Add credential").click();
  await k.button("Add credential", k.dialog).click();
  await k.dialog.locator('[aria-invalid="true"]').first().waitFor();
  await person.expectAccessible();
  await k.dialog.getByLabel(/^Name/).fill("robot");
  await k.dialog.getByLabel(/^Personal Access Token/).fill(pat);
  const add = await k.shownAs(k.dialog);
  expect(add.cli + add.curl).not.toContain(pat);
  await k.button("Add credential", k.dialog).click();
  await page.getByRole("heading", { level: 1, name: "robot" }).waitFor();
  await k.dialog.waitFor({ state: "detached" });
  expect(await page.content()).not.toContain(pat);

  await k.button("Remove").click();
  const remove = await k.shownAs(k.dialog);
  for (const command of [add.cli, add.curl.replace("SECRET", pat)]) {
    await k.type(remove.cli);
    await k.type(command, { FILE: pat });
  }
  await k.button("Cancel", k.dialog).click();

  const used = (await k.get<{ items: { name: string; users?: string[] }[] }>("/credentials")).items.find(({ name }) => name !== "robot")?.name ?? "";
  await person.open(`/vault/${encodeURIComponent(used)}`);
  await k.button("Test now").click();
  await page.getByText("It works.").waitFor();
  await person.expectAccessible();
  await k.type((await k.shownAs(page.getByRole("region", { name: "Test" }))).cli);
  await k.button("New secret").click();
  await k.dialog.getByLabel(/^New secret/).fill("x".repeat(52));
  await k.button("Test and replace", k.dialog).click();
  await k.dialog.getByText("The old secret stays.").waitFor();
  await person.expectAccessible();
  await k.dialog.getByLabel(/^New secret/).fill(pat);
  const rotate = await k.shownAs(k.dialog);
  await k.button("Test and replace", k.dialog).click();
  await k.told(`${used} has its new secret`);
  await k.type(rotate.cli, { FILE: pat });
  // Something uses it: it cannot go.
  await k.button("Remove").hover();
  expect(await k.button("Remove").getAttribute("aria-disabled")).toBe("true");
});

test("the audit log is filtered, read entry by entry, verified and exported", async () => {
  const { page, person } = k;
  await person.open("/audit");
  await page.getByLabel("Action", { exact: true }).fill("connector");
  await page.keyboard.press("Enter");
  const rows = page.getByRole("table", { name: "Entries, the newest first" }).getByRole("row");
  await rows.filter({ hasText: "connector.add" }).first().waitFor();
  await person.expectAccessible();
  const { cli, curl } = await k.shownAs();
  expect(await k.type(cli)).toContain("connector.add");
  expect(await k.type(curl)).toContain("connector.add");
  await rows.nth(1).getByRole("button").or(rows.nth(1).getByRole("link")).first().click();
  await k.dialog.getByText("connector.add").waitFor();
  await person.expectAccessible();
  const noted = (await k.dialog.locator("pre").last().textContent()) ?? "";
  await k.button("Close", k.dialog).click();
  await k.button("Verify").click();
  await k.dialog.getByLabel("Number").fill(noted.split(":")[0] ?? "");
  await k.dialog.getByLabel("Hash").fill(noted.split(":")[1] ?? "");
  const verify = await k.shownAs(k.dialog);
  await k.button("Verify now", k.dialog).click();
  await k.dialog.getByText(/^The log is whole/).waitFor();
  await k.type(verify.cli);
  await k.button("Cancel", k.dialog).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export" }).click()]);
  expect(download.suggestedFilename()).toBe("audit.jsonl");
});
