import { afterEach, expect, test } from "vitest";
import { keeper } from "./support/keeper";

const k = keeper({ workItems: 12 });

afterEach(() => k.world.simulate("/__faults", undefined, "DELETE"));

test("a run that the service holds up says so, and is canceled", async () => {
  const { page, person } = k;
  await k.world.simulate("/__faults", { path: "*", fault: "429", retryAfter: 240 });
  await person.open(`/connectors/${k.made.connector}`);
  await k.button("Run backup").click();
  await page.waitForURL("**/runs/*");
  await page.getByText(/^The service asked for a pause until/).waitFor();
  await person.expectAccessible();
  await k.button("Cancel run").first().click();
  await k.dialog.getByText("What was read so far stays as a checkpoint").waitFor();
  await k.button("Let it run").click();
  await k.button("Cancel run").first().click();
  await k.button("Cancel run", k.dialog).click();
  await page.getByText("Canceled", { exact: true }).waitFor();
  expect((await k.runEnded()).state).toBe("canceled");
  // The same again is one click away, and goes on from there.
  await k.world.simulate("/__faults", undefined, "DELETE");
  const canceled = page.url();
  await k.button("Retry failed part").click();
  await page.waitForURL((url) => url.href !== canceled);
  expect((await k.runEnded()).state).toBe("succeeded");
});

test("a run tells while it reads what it reads", async () => {
  const { page, person } = k;
  // The list of comments comes byte by byte.
  await k.world.simulate("/__faults", { path: "*/comments*", fault: "slow", milliseconds: 400 });
  const { id } = await k.post<{ id: string }>("/backups", { connector: k.made.connector, full: true });
  // Not by `open`: it waits for what turns, as the bar of a run does while nobody knows how much there is.
  await page.goto(`/runs/${id}`);
  const fact = (name: string) => page.getByText(name, { exact: true }).locator("xpath=following-sibling::dd");
  await fact("Reading now").waitFor();
  await page.getByText("Reading: Work items", { exact: true }).waitFor();
  const requests = await fact("Requests").innerText();
  await expect.poll(() => fact("Requests").innerText(), { timeout: 20_000 }).not.toBe(requests);
  await person.expectAccessible();
  await k.world.simulate("/__faults", undefined, "DELETE");
  expect((await k.runEnded()).state).toBe("succeeded");
});

test("issues are grouped, acknowledged with a reason, and known by the next run", async () => {
  const { page, person } = k;
  await k.world.simulate("/__faults", { path: "*/teams/*/members*", fault: "403" });
  await person.open(`/connectors/${k.made.connector}`);
  await k.button("Run backup").click();
  expect((await k.runEnded()).state).toBe("succeeded_with_issues");
  await page.getByText("Succeeded with issues", { exact: true }).waitFor();
  const all = page.getByRole("button", { name: /^Acknowledge/ }).first();
  await all.waitFor();
  await page.getByText("New in this run").first().waitFor();
  await person.expectAccessible();
  await all.click();
  await k.dialog.getByLabel("Until").selectOption({ label: "For 7 days" });
  await k.dialog.getByLabel("Why this is acceptable").fill("A project that is closed");
  const { cli, curl } = await k.shownAs(k.dialog);
  await k.button("Acknowledge", k.dialog).click();
  await page.getByText(/Acknowledged by ada .*: A project that is closed/).first().waitFor();
  await k.type(cli);
  await k.type(curl);
  await person.open("/issues?seen=acknowledged");
  await page.getByText("A project that is closed").first().waitFor();
  await person.expectAccessible();
});

test("a run is compared with the one before, and both are in the list with their filters", async () => {
  const { page, person } = k;
  await person.open("/runs?kind=backup");
  await page.getByLabel("State").selectOption({ label: "Succeeded" });
  const rows = page.getByRole("table", { name: "Runs, the newest first" }).getByRole("row");
  await rows.nth(1).getByRole("link").first().click();
  const compared = page.getByRole("table", { name: "This run and the one before it" });
  await compared.getByRole("row", { name: /^Items/ }).waitFor();
  await compared.getByRole("row", { name: /^Requests/ }).waitFor();
  await page.getByRole("link", { name: "The run before" }).click();
  await page.getByRole("heading", { level: 1, name: /^Backup of contoso/ }).waitFor();
});
