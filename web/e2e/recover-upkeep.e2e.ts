import { readdir, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keeper } from "./support/keeper";

const k = keeper({ workItems: 12, keepAll: true });

/** The packs of the default repository. */
async function packs(): Promise<string[]> {
  const { location } = await k.get<{ location: string }>("/repositories/default");
  const found = await readdir(join(location, "data"), { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const upkeep = () => k.person.open("/repositories/default?tab=upkeep");
const outcome = (words: RegExp) => k.page.getByRole("status").filter({ hasText: words }).first().waitFor();

test("a repository is checked from the page, and its last check is told", async () => {
  const { page, person } = k;
  await upkeep();
  await page.getByLabel("Packs to read, in percent").fill("101");
  await k.button("Check now").click();
  expect(await page.locator("input:invalid").count()).toBe(1);
  await page.getByLabel("Packs to read, in percent").fill("100");
  await k.button("Check now").click();
  await outcome(/No damage found/);
  await person.expectAccessible();
  const { cli, curl } = await k.shownAs(page.getByRole("region", { name: "Check", exact: true }));
  await k.type(cli);
  expect(JSON.parse(await k.type(curl))).toMatchObject({ kind: "check" });
  await page.getByRole("tab", { name: "Overview" }).click();
  await page.getByText("No damage").first().waitFor();
});

test("a snapshot is verified, and its mark says so", async () => {
  const { page, person } = k;
  await person.open(`/snapshots/${k.newest}`);
  await k.button("Verify now").click();
  expect(await k.runEnded()).toMatchObject({ kind: "verify", state: "succeeded" });
  await person.open(`/snapshots/source/azure-devops/${k.world.simulator.organization}`);
  await page.getByRole("row").nth(1).getByText("Verified", { exact: true }).waitFor();
  await person.expectAccessible();
});

test("what a forgotten snapshot alone needed is told first, and then freed", async () => {
  const { page, person } = k;
  await person.open(`/snapshots/source/azure-devops/${k.world.simulator.organization}`);
  const rows = page.getByRole("table", { name: "All snapshots, the newest first" });
  await rows.getByRole("checkbox", { name: /^Select / }).nth(1).check();
  await k.button("Forget…").click();
  await k.button("Forget", k.dialog).click();
  await k.told("The snapshot is forgotten");
  // What is younger than an hour stays, since a backup may be about to need it.
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const pack of await packs()) await utimes(pack, yesterday, yesterday);
  await upkeep();
  await k.button("See what it would free").click();
  await outcome(/It would free/);
  await person.expectAccessible();
  await k.button(/^Free \d/).click();
  await k.button(/^Free \d/, k.dialog).click();
  await outcome(/It freed/);
  const { cli } = await k.shownAs(page.getByRole("region", { name: "Prune", exact: true }));
  await k.type(cli);
});

test("the times of maintenance are set, refused at their field when they make no sense, and told", async () => {
  const { page, person } = k;
  await upkeep();
  await k.button("Change").click();
  const check = k.dialog.getByRole("group", { name: "Check", exact: true });
  await check.getByLabel("How often").selectOption({ label: "Every day" });
  await check.getByLabel("At").fill("05:15");
  await check.getByLabel("Time zone").fill("Atlantis");
  await person.expectAccessible();
  await k.button("Save", k.dialog).click();
  await check.getByText(/Atlantis/).waitFor();
  await check.getByLabel("Time zone").fill("Europe/Berlin");
  // One command has one zone for all tasks: it is shown when it says the same.
  expect((await k.shownAs(k.dialog)).cli).toBe("");
  for (const task of ["Prune", "Verify the newest snapshots"]) {
    await k.dialog.getByRole("group", { name: task }).getByLabel("Time zone").fill("Europe/Berlin");
  }
  const { cli, curl } = await k.shownAs(k.dialog);
  await k.button("Save", k.dialog).click();
  await page.getByText(/^Every day.*Next: /).waitFor();
  const next = async () => {
    const tasks = await k.get<Record<string, { next: string[] }>>("/repositories/default/maintenance");
    return Object.entries(tasks).map(([name, task]) => [name, task.next]);
  };
  const times = await next();
  for (const command of [cli, curl]) {
    await k.type(command);
    expect(await next()).toEqual(times);
  }
});

test("what takes the server long to count is told as such, and appears when it is known", async () => {
  const { page, person } = k;
  let left = 0;
  const detail = "it is being counted";
  const counting = JSON.stringify({ type: "urn:keepward:repository-counting", title: "The repository is being counted", status: 503, code: "repository-counting", detail });
  for (const path of ["**/api/v1/repositories/default/stats", "**/api/v1/policies/preview/retention"]) {
    await page.route(path, (route) => {
      left -= 1;
      if (left < 0) return route.continue();
      return route.fulfill({ status: 503, contentType: "application/problem+json", headers: { "retry-after": "1" }, body: counting });
    });
  }
  left = 2;
  await page.goto("/repositories/default?tab=space");
  await page.getByText("It is being counted").waitFor();
  await person.expectAccessible();
  await page.getByText("All snapshots written out").waitFor();
  left = 2;
  await page.goto("/policies/keeps%20all");
  const preview = page.getByRole("region", { name: "What this would drop now" });
  await preview.getByText("Looking at the snapshots…").waitFor();
  expect(await preview.getByRole("alert").count()).toBe(0);
  await preview.getByText(/keeps|drops/).first().waitFor();
  await person.settled();
});

test("damage is told where the repository is listed, and the run names it", async () => {
  const { page, person } = k;
  const [pack] = await packs();
  await truncate(pack ?? "", 100);
  await upkeep();
  await page.getByLabel("Packs to read, in percent").fill("100");
  await k.button("Check now").click();
  await outcome(/It found \d+ problems?\. Open the run/);
  await page.getByText("keepward repository repair snapshots --repository default").waitFor();
  await person.expectAccessible();
  await page.getByRole("link", { name: "Open the run" }).first().click();
  await page.getByRole("status").getByText("Damage found", { exact: true }).waitFor();
  await page.getByText(pack?.split("/").at(-1)?.slice(0, 8) ?? "").first().waitFor();
  await person.expectAccessible();
  await person.open("/repositories");
  await page.getByRole("row", { name: /^default/ }).getByText("Damaged").waitFor();
});
