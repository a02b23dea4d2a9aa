import { join } from "node:path";
import { expect, test } from "vitest";
import { Hook } from "./support/hook";
import { keeper } from "./support/keeper";

const k = keeper({ seed: "small", backups: 1 });

test("a policy is made, shown as commands that make the same, changed and removed", async () => {
  const { page, person } = k;
  await person.open("/policies");
  await k.button("New policy").first().click();
  await page.getByLabel("Name", { exact: true }).fill("nightly");
  await page.getByRole("radio", { name: "Only these", exact: true }).check();
  await page.getByRole("checkbox", { name: k.made.connector }).check();
  await page.getByLabel("Times", { exact: true }).fill("25:00");
  await page.getByLabel("Spread, in minutes").fill("2000");
  await page.getByText("2 values are not right yet: they are marked.").waitFor();
  await k.button("Create policy").click();
  await page.getByText(/25:00/).first().waitFor();
  await person.expectAccessible();
  await page.getByLabel("Times", { exact: true }).fill("02:30");
  // By its word, and by its name for those who do not see it.
  await page.getByText("Tuesday", { exact: true }).click();
  await page.getByRole("group", { name: "Days" }).getByRole("checkbox", { name: "Friday", exact: true }).check();
  await page.getByLabel("Spread, in minutes").fill("10");
  await page.getByLabel("Daily", { exact: true }).fill("7d");
  await page.getByText("Enter a whole number of at most 10 digits, or leave it empty.").waitFor();
  await k.button("Create policy").click();
  expect((await k.get<{ items: { policy: { name: string } }[] }>("/policies")).items.map(({ policy }) => policy.name)).not.toContain("nightly");
  await page.getByLabel("Daily", { exact: true }).fill("7");
  await page.getByRole("region", { name: "Next runs" }).getByRole("listitem").first().waitFor();
  const shown = await k.shownAs();
  await k.button("Create policy").click();
  await k.told("nightly is saved");
  await person.expectAccessible();
  const { policy: made } = await k.get<{ policy: object }>("/policies/nightly");
  expect(made).toMatchObject({ schedule: { when: { days: expect.toSatisfy((days: string[]) => days.toSorted().join() === "fri,tue") } } });

  // Made again by each of the two texts, it is the same.
  for (const command of [shown.cli, shown.curl]) {
    await person.open("/policies/nightly");
    await k.button("Remove policy").click();
    const remove = await k.shownAs(k.dialog);
    await k.type(command === shown.cli ? remove.cli : remove.curl);
    await k.type(command);
    expect((await k.get<{ policy: object }>("/policies/nightly")).policy).toEqual(made);
  }

  await person.open("/policies/nightly");
  await page.getByLabel("Times", { exact: true }).fill("03:45");
  const edit = await k.shownAs();
  // Kept for later, it sets it whatever its version.
  expect(edit.curl).not.toContain("version");
  await k.type(edit.cli);
  // Somebody else, as far as this page knows: their change is not overwritten.
  await k.button("Save policy").click();
  await page.getByText("Somebody else changed this policy in the meantime").waitFor();
  await k.button("Load it again").click();
  await expect.poll(() => page.getByLabel("Times", { exact: true }).inputValue(), { timeout: 10_000 }).toBe("03:45");
  await page.getByLabel("Times", { exact: true }).fill("04:15");
  await k.button("Save policy").click();
  await k.told("nightly is saved");
  expect(await k.get("/policies/nightly")).toMatchObject({ policy: { schedule: { when: { at: ["04:15"] } } } });

  await page.getByLabel("Times", { exact: true }).fill("05:00");
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await k.dialog.getByText("What you changed in this policy is not saved.").waitFor();
  await k.button("Stay", k.dialog).click();
  await page.getByLabel("Times", { exact: true }).fill("04:15");
  await k.button("Remove policy").click();
  await k.button("Remove policy", k.dialog).click();
  await k.told("nightly was removed");
  expect(await page.getByRole("table", { name: "Policies" }).getByText("nightly").count()).toBe(0);
});

test("a repository is added with a password that is shown once, made the default, moved and removed", async () => {
  const { page, person } = k;
  await person.open("/repositories");
  await k.button("Add repository").first().click();
  await k.dialog.getByLabel(/^Name/).fill("second copy");
  await k.dialog.getByLabel(/^Folder/).fill("/etc/keepward");
  await k.button("Add repository", k.dialog).click();
  await k.dialog.locator('[role="alert"]').filter({ hasText: /\S/ }).first().waitFor();
  await person.expectAccessible();
  const place = join(k.world.data, "repositories", "second");
  await k.dialog.getByLabel(/^Name/).fill("second");
  await k.dialog.getByLabel(/^Folder/).fill(place);
  const { curl } = await k.shownAs(k.dialog);
  await k.button("Add repository", k.dialog).click();
  await k.dialog.getByText("Keep this password").waitFor();
  await person.expectAccessible();
  // It does not go by a slip: the person has to say that they keep it.
  await page.keyboard.press("Escape");
  expect(await k.button("Close", k.dialog).isDisabled()).toBe(true);
  await k.dialog.getByRole("checkbox").check();
  await k.button("Close", k.dialog).click();
  await page.getByRole("heading", { level: 1, name: "second" }).waitFor();

  await k.type((await k.shownAs()).curl);
  await page.reload();
  await page.getByText("Default", { exact: true }).first().waitFor();
  await person.open("/repositories/default");
  await k.button("Make default").click();
  // Policies that name no repository decide about its snapshots again, which nothing has forgotten meanwhile.
  await k.dialog.getByText("contoso in default").waitFor();
  await person.expectAccessible();
  await k.button("Make default", k.dialog).click();
  await k.told("default is the default repository now");

  await person.open("/repositories/second");
  await k.button("Edit").or(k.button(/^How it is reached|^Change/)).first().click();
  await k.dialog.getByLabel(/^Folder/).fill(`${place}-elsewhere`);
  expect((await k.shownAs(k.dialog)).curl).not.toContain("version");
  await k.button("Save", k.dialog).click();
  await k.dialog.locator('[role="alert"]').filter({ hasText: /\S/ }).first().waitFor();
  await k.button("Cancel", k.dialog).click();
  await k.button("Remove").click();
  const remove = await k.shownAs(k.dialog);
  await k.button("Remove", k.dialog).click();
  await k.told("second is removed. Its backups are untouched.");

  await k.type(curl.replaceAll("second", "third"));
  await person.open("/repositories/third");
  await k.type(remove.curl.replaceAll("second", "third"));
  await page.reload();
  await page.getByText("This does not exist any more").waitFor();
});

test("a channel of notifications is made, tested, changed and removed", async () => {
  const { page, person } = k;
  const hook = await Hook.start();
  await person.open("/notifications");
  await k.button("Add channel").first().click();
  await k.dialog.getByLabel(/^Name/).fill("ops");
  await k.dialog.getByLabel("Type").selectOption({ label: "Webhook" });
  await k.dialog.getByLabel(/^Address/).fill("ftp://example.com");
  await k.dialog.getByLabel(/^Signing key/).fill("no key");
  await k.button("Save", k.dialog).click();
  await k.dialog.getByText(/http/).first().waitFor();
  await person.expectAccessible();
  const secret = `whsec_${Buffer.from("a key of thirty-two bytes, or so").toString("base64")}`;
  await k.dialog.getByLabel(/^Address/).fill(hook.url);
  await k.dialog.getByLabel(/^Signing key/).fill(secret);
  const { cli, curl } = await k.shownAs(k.dialog);
  expect(cli + curl).not.toContain(secret);
  await k.button("Save", k.dialog).click();
  await k.told("ops is saved");
  await k.button("Send a test message to ops").click();
  await k.told("A message was sent to ops");
  expect(hook.received[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
  await k.type((await k.shownAs(page.getByRole("row", { name: /^ops/ }))).cli);
  expect(hook.received).toHaveLength(2);

  await k.button("Edit ops").click();
  await k.dialog.getByRole("checkbox", { name: "A run succeeded" }).check();
  const edit = await k.shownAs(k.dialog);
  await k.button("Cancel", k.dialog).click();
  for (const command of [edit.cli, edit.curl]) {
    await k.type(command);
    const { on } = await k.get<{ on: string[] }>("/notifications/ops");
    expect(on).toContain("success");
  }
  await person.open("/notifications");
  await page.getByRole("row", { name: /^ops/ }).getByText(/Success/).waitFor();

  await k.button("Remove ops").click();
  await k.type((await k.shownAs(k.dialog)).curl);
  await person.open("/notifications");
  await page.getByText("Nobody is told of anything").waitFor();
  await k.type(cli, { FILE: secret });
  await person.open("/notifications");
  await page.getByRole("row", { name: /^ops/ }).waitFor();
  await k.button("Remove ops").click();
  await k.button("Remove", k.dialog).click();
  await k.told("ops is removed");
  await k.type(curl.replace("SECRET", secret));
  expect(await k.get("/notifications/ops")).toMatchObject({ name: "ops" });
  await hook.stop();
});
