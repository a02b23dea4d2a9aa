import { expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { Person } from "./support/person";
import { backUp } from "./support/protected";

const k = keeper({ seed: "small", backups: 1, keepAll: true });
const VERA = { name: "vera", password: "a long password for the office" };

test("the overview says in one sentence whether all is well, and leads to what is not", async () => {
  const { page, person, world } = k;
  const verdict = page.getByRole("main").getByRole("status").first();
  await person.open("/");
  await verdict.getByText(/^(All is well: the source is|The source is) protected\.$/).waitFor();
  await page.getByRole("row", { name: /^contoso Protected/ }).waitFor();
  await world.simulate("/__faults", { path: "*", fault: "302" });
  await backUp(world, k.made.token, k.made.connector);
  await verdict.getByText(/^Something is wrong\. Protected: 0 of 1 sources\.$/).waitFor();
  await person.expectAccessible();
  await page.getByRole("link", { name: "contoso: backups fail" }).click();
  await page.waitForURL("**/connectors/contoso");
  await world.simulate("/__faults", undefined, "DELETE");
  await backUp(world, k.made.token, k.made.connector);
  await person.open("/");
  await verdict.getByText(/protected\.$/).waitFor();
});

test("an alarm is acknowledged with the reason why it may stay", async () => {
  const { page, person, world } = k;
  await world.simulate("/__faults", { path: "*", fault: "302" });
  await backUp(world, k.made.token, k.made.connector);
  // A server looks for alarms when it starts.
  await world.kill();
  await world.restart();
  await expect.poll(async () => (await k.get<{ items: unknown[] }>("/alarms")).items.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await person.open("/alarms");
  await k.button(/^Acknowledge: /).first().click();
  expect(await k.button("Acknowledge", k.dialog).isDisabled()).toBe(true);
  await k.dialog.getByLabel(/^Why this is acceptable/).fill("The organization moves tonight");
  await person.expectAccessible();
  await k.button("Acknowledge", k.dialog).click();
  await page.getByText(/^Acknowledged by ada .*: The organization moves tonight$/).waitFor();
  await world.simulate("/__faults", undefined, "DELETE");
});

test("what counts as wrong is set, and refused in words where it makes no sense", async () => {
  const { page, person } = k;
  await person.open("/alarms");
  await page.getByLabel("Oldest good backup, in hours").fill("0");
  await k.button("Save").click();
  await page.getByRole("alert").getByText(/^Hours are 1 to 8784/).waitFor();
  await person.expectAccessible();
  await page.getByLabel("Oldest good backup, in hours").fill("48");
  await k.button("Save").click();
  await k.told("Alarms use it from now on.");
  expect(await k.get("/alarms/settings")).toMatchObject({ backup_hours: 48 });
  await expect.poll(() => k.button("Save").isDisabled()).toBe(true);

  // What somebody else sets for another connector meanwhile stays.
  await page.getByLabel("Hours for contoso").fill("30");
  const settings = await k.get<object>("/alarms/settings");
  const headers = { authorization: `Bearer ${k.made.token}`, "content-type": "application/json" };
  await fetch(`${k.world.url}/api/v1/alarms/settings`, { method: "PUT", headers, body: JSON.stringify({ ...settings, connectors: { fabrikam: 50 } }) });
  await page.getByLabel("Hours for fabrikam").waitFor();
  await k.button("Save").click();
  await k.told("Alarms use it from now on.");
  await expect.poll(() => k.get("/alarms/settings")).toMatchObject({ connectors: { contoso: 30, fabrikam: 50 } });
});

test("what keeps less waits for another administrator, who approves it or rejects it", async () => {
  const { page, person, world } = k;
  await k.post("/people", { ...VERA, roles: ["admin"] });
  await person.open("/settings");
  await page.getByRole("switch", { name: /^Another person has to approve what removes backups/ }).click();
  await k.button("Switch on", k.dialog).click();
  await k.told("Four eyes is on");

  await person.open("/policies/keeps%20all");
  await page.getByLabel("Daily", { exact: true }).fill("3");
  await k.button("Save policy").click();
  await page.getByText("This waits for another person").waitFor();
  await page.getByRole("link", { name: "Open the proposal" }).click();
  await page.getByText("You asked for this, so another administrator has to decide.").waitFor();
  expect(await k.button("Approve and do it").count()).toBe(0);
  await person.expectAccessible();

  const vera = await Person.arrive(world);
  await vera.signIn(VERA);
  await vera.open("/");
  await vera.page.getByRole("link", { name: "One change waits for approval" }).click();
  await vera.page.getByRole("row", { name: /Keep less: policy keeps all/ }).getByRole("link").first().click();
  // Not “Daily: 0, then 3”, which would seem to be more.
  await vera.page.getByRole("row", { name: /Keeps.*Everything, for good.*3 daily/ }).waitFor();
  await vera.page.getByRole("region", { name: "What would be done" }).getByRole("region", { name: "What this would drop now" }).waitFor();
  await vera.page.getByRole("button", { name: "Approve and do it" }).click();
  const dialog = vera.page.getByRole("alertdialog");
  await dialog.getByText("Keep less: policy keeps all").waitFor();
  await vera.expectAccessible();
  await dialog.getByRole("button", { name: "Approve and do it" }).click();
  await vera.page.getByText("It is approved and done").first().waitFor();
  await vera.page.getByRole("region", { name: "What was done" }).waitFor();
  expect(await k.get("/policies/keeps%20all")).toMatchObject({ policy: { retention: { daily: 3 } } });

  await person.open("/settings");
  await page.getByRole("switch", { name: /^Another person has to approve/ }).click();
  await k.button("Ask to switch off", k.dialog).click();
  await k.told("It waits for another administrator");
  await vera.open("/approvals");
  await vera.page.getByRole("row", { name: /Switch four eyes off/ }).getByRole("link").first().click();
  await vera.page.getByRole("button", { name: "Reject" }).click();
  await vera.page.getByRole("dialog").getByLabel("Reason").fill("Not at night");
  await vera.page.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
  await vera.page.getByText("It is rejected. Nothing was done.").first().waitFor();
  await vera.leave();
  await page.getByRole("link", { name: "What waits for approval" }).click();
  await page.getByLabel("Show", { exact: true }).selectOption({ label: "Everything" });
  await page.getByRole("row", { name: /Switch four eyes off.*Rejected/ }).waitFor();
});

test("with four eyes on, snapshots are forgotten when another administrator approved it, and the page tells what was done", async () => {
  const { page, person, world } = k;
  await person.open(`/snapshots/source/azure-devops/${world.simulator.organization}`);
  await page.getByRole("checkbox", { name: /^Select / }).last().check();
  await k.button("Forget…").click();
  await k.button("Ask for approval", k.dialog).click();
  await page.waitForURL("**/approvals");
  await page.getByRole("link", { name: "Delete 1 snapshot in the repository default" }).waitFor();
  const vera = await Person.arrive(world);
  await vera.signIn(VERA);
  await vera.open("/approvals");
  await vera.page.getByRole("link", { name: "Delete 1 snapshot in the repository default" }).click();
  await vera.page.getByRole("table", { name: "Snapshots that would be deleted" }).getByRole("link", { name: "contoso" }).waitFor();
  await vera.page.getByRole("button", { name: "Approve and do it" }).click();
  await vera.page.getByRole("alertdialog").getByText("Delete 1 snapshot in the repository default").waitFor();
  await vera.page.getByRole("alertdialog").getByRole("button", { name: "Approve and do it" }).click();
  const done = vera.page.getByRole("region", { name: "What was done" });
  await expect.poll(() => done.getByRole("table", { name: "Deleted snapshots" }).getByRole("row").count()).toBe(2);
  expect(await vera.page.getByText(/would be|not there/).count()).toBe(0);
  await vera.expectAccessible();
  await vera.leave();
});
