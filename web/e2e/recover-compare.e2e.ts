import { beforeAll, expect, test } from "vitest";
import { keeper, type Item } from "./support/keeper";
import { changeField } from "./support/organization";
import { snapshotOf } from "./support/protected";

const NEW_TITLE = "Retitled between two snapshots";

const k = keeper({ workItems: 12, keepAll: true, backups: 1 });
/** What happens to work items between the two snapshots. */
let changed: Item;
let deleted: Item;

beforeAll(async () => {
  [changed, deleted] = (await k.items("work-item")) as [Item, Item];
  await changeField(k.world, changed.id, "System.Title", NEW_TITLE);
  await k.world.askService("DELETE", `_apis/wit/workitems/${deleted.id}?api-version=7.1`);
  k.made.snapshots.push(await snapshotOf(k.world, k.made.token, k.made.connector));
});

const source = () => `/snapshots/source/azure-devops/${k.world.simulator.organization}`;

/** The requests that could have written into the organization. */
async function writes(): Promise<number> {
  const { entries } = (await k.world.simulate(`/__ledger?organization=${k.world.simulator.organization}`, undefined, "GET")) as {
    entries: { method: string }[];
  };
  return entries.filter(({ method }) => ["PUT", "PATCH", "DELETE"].includes(method)).length;
}

test("two snapshots of a source are compared, and what was deleted between them is restored from the earlier", async () => {
  const { page, person } = k;
  await person.open(source());
  const rows = page.getByRole("table", { name: "All snapshots, the newest first" }).getByRole("checkbox", { name: /^Select / });
  // However close together they were made, no two read alike.
  const labels = await rows.evaluateAll((boxes) => boxes.map((box) => box.getAttribute("aria-label")));
  expect(new Set(labels).size).toBe(labels.length);
  await rows.nth(0).check();
  await rows.nth(1).check();
  await k.button("Compare", page).click();
  const differences = page.getByRole("table", { name: "Differences" });
  const gone = differences.getByRole("row").filter({ hasText: deleted.name });
  await gone.waitFor();
  await differences.getByRole("row", { name: new RegExp(`Changed.*${NEW_TITLE}`) }).waitFor();
  await gone.getByText("Deleted", { exact: true }).waitFor();
  await gone.getByText("now in the recycle bin").waitFor();
  const change = page.getByLabel("Change", { exact: true });
  await change.selectOption("changed");
  await gone.waitFor({ state: "detached" });
  await change.selectOption("removed");
  await gone.waitFor();
  await change.selectOption("");
  await person.expectAccessible();
  const { cli } = await k.shownAs();
  expect(await k.type(cli)).toContain(deleted.id);

  // What is a part of other items has no rows of its own.
  const offered = await page.getByLabel("Kind", { exact: true }).getByRole("option").allTextContents();
  expect(offered).toContain("Work items");
  expect(offered).not.toContain("Comments");

  await page.getByLabel("Kind", { exact: true }).selectOption("team");
  await page.getByText("No such difference").waitFor();
  await page.getByLabel("Kind", { exact: true }).selectOption("work-item");
  await gone.getByRole("checkbox").check();
  await k.button("Restore…").click();
  await page.getByRole("list", { name: "What" }).getByText(deleted.name).waitFor();
  await k.plan();
  await k.apply();
  const back = await k.world.askService("GET", `_apis/wit/workitems/${deleted.id}?api-version=7.1`);
  expect(back.status).toBe(200);
});

test("an item's history leads from one version to another, and says what differs", async () => {
  const { page, person } = k;
  await person.open(`/snapshots/${k.newest}/item/work-item/${changed.id}?tab=versions`);
  const versions = page.getByRole("table", { name: "Versions" });
  await versions.getByRole("row").filter({ hasText: NEW_TITLE }).getByText("current").waitFor();
  await versions.getByRole("row").filter({ hasText: changed.name }).waitFor();
  const title = page.getByRole("group", { name: /^Differences of .*System.Title$/ });
  await title.getByText(changed.name).waitFor();
  await title.getByText(NEW_TITLE).waitFor();
  await title.getByLabel("removed").first().waitFor();
  await person.expectAccessible();
  await versions.getByRole("row").filter({ hasText: changed.name }).getByRole("link", { name: "Open" }).click();
  await page.getByRole("heading", { level: 1, name: `${changed.id} · ${changed.name}` }).waitFor();
});

test("what an item was called before is found, and how long ago that was fits a narrow screen", async () => {
  const { page, person } = k;
  await page.setViewportSize({ width: 390, height: 844 });
  await person.open(`/search?q=${encodeURIComponent(`"${changed.name}"`)}`);
  const hit = page.getByRole("list", { name: "What was found" }).getByRole("listitem").filter({ hasText: changed.name });
  await hit.getByText(/^Gone, or changed since/).first().waitFor();
  await hit.getByText(/last seen/i).waitFor();
  await person.expectFits();
});

test("a snapshot is compared with the live organization, and nothing is written there", async () => {
  const { page, person } = k;
  const [item] = (await k.items("work-item")).filter(({ id }) => ![changed.id, deleted.id].includes(id));
  await k.world.askService("DELETE", `_apis/wit/workitems/${item?.id}?destroy=true&api-version=7.1`);
  const before = await writes();
  await person.open(source());
  const rows = page.getByRole("table", { name: "All snapshots, the newest first" }).getByRole("checkbox", { name: /^Select / });
  await rows.nth(0).check();
  await k.button("Compare with the live organization").click();
  await k.button("Compare", k.dialog).click();
  await page.getByRole("heading", { level: 1, name: "Compared with the live contoso" }).waitFor();
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  const counts = page.getByRole("table", { name: "What it does" });
  await counts.getByRole("columnheader", { name: "Missing there" }).waitFor();
  await person.expectAccessible();
  await counts.getByRole("row", { name: /^Work item/ }).getByRole("link", { name: "1", exact: true }).click();
  const steps = page.getByRole("table", { name: "Steps" });
  await steps.getByRole("row", { name: /^Missing there/ }).getByText(item?.name ?? "").waitFor();
  expect(await steps.getByRole("row").count()).toBe(2);
  // One item of the snapshot alone: the same, and nothing else.
  await steps.getByRole("link", { name: item?.name ?? "" }).click();
  await k.button("Compare with the live organization").click();
  await person.expectAccessible();
  const { cli } = await k.shownAs(k.dialog);
  await k.button("Compare", k.dialog).click();
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  await counts.getByRole("row", { name: /^Work item/ }).getByRole("link", { name: "1", exact: true }).waitFor();
  await k.type(cli);
  expect(await writes()).toBe(before);
});
