import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Person } from "./support/person";
import { backUp, protect, type Protected } from "./support/protected";

interface Item {
  kind: string;
  id: string;
  name: string;
}

let made: Protected;
let person: Person;
let page: Page;
/** Deleted at the service after it was backed up. */
let lost: Item;

beforeAll(async () => {
  made = await protect({ workItems: 40 });
  const { world, token, snapshots } = made;
  const listed = await world.get<{ items: Item[] }>(`/snapshots/${snapshots.at(-1)}/items?kind=work-item&limit=1`, token);
  lost = listed.items[0] as Item;
  await world.askService("DELETE", `_apis/wit/workitems/${lost.id}?api-version=7.1`);
  await backUp(world, token, made.connector);
});
afterAll(() => made.world.stop());

beforeEach(async () => {
  person = await Person.arrive(made.world);
  page = person.page;
  await person.signIn();
});
afterEach(() => person.leave());

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

test("a deleted work item is found by search, read as it was, and brought back", async () => {
  await page.goto("/search");
  await page.getByLabel("Words").fill(lost.name);
  await page.keyboard.press("Enter");
  const hit = page.getByRole("list", { name: "What was found" }).getByRole("listitem").first();
  await hit.getByText(/gone|last seen|recycle/i).first().waitFor();
  await person.expectAccessible();
  await hit.getByRole("button", { name: /^Restore/ }).click();
  await button("Make the plan").click();
  await page.getByText("Ready to apply").waitFor();
  await person.expectAccessible();
  await button(/^Apply/).click();
  await page.getByRole("alertdialog").or(page.getByRole("dialog")).getByRole("button", { name: /^Apply|^Restore/ }).click();
  await page.getByText(/^Applied/).first().waitFor();
  await person.expectAccessible();
  const back = await made.world.askService("GET", `_apis/wit/workitems/${lost.id}?api-version=7.1`);
  expect(((await back.json()) as { fields: Record<string, unknown> }).fields["System.Title"]).toBe(lost.name);
});

test("a snapshot is browsed: work items, their history, repositories and wikis", async () => {
  const { world, token } = made;
  // The policy keeps one of a day: the newest.
  const { items: snapshots } = await world.get<{ items: { id: string }[] }>("/snapshots", token);
  const newest = snapshots[0]?.id ?? "";
  const listed = await world.get<{ items: Item[] }>(`/snapshots/${newest}/items?kind=work-item&limit=3`, token);
  const kept = listed.items.at(-1) as Item;
  for (const kind of ["project", "git-repository", "wiki", "team", "area"]) {
    const { items } = await world.get<{ items: Item[] }>(`/snapshots/${newest}/items?kind=${kind}&limit=1`, token);
    const one = items[0] as Item;
    await person.open(`/snapshots/${newest}/item/${kind}/${encodeURIComponent(one.id)}`);
    await person.expectAccessible();
  }
  await person.open(`/snapshots/${newest}?kind=work-item`);
  await page.getByRole("link", { name: kept.name }).first().click();
  await page.getByRole("heading", { level: 1, name: kept.name }).waitFor();
  await page.getByRole("tab", { name: "History" }).click();
  await person.settled();
  await person.expectAccessible();
});

test("a source tells what it has and what changed", async () => {
  await person.open("/snapshots");
  await page.getByRole("link", { name: made.connector }).first().click();
  await person.settled();
  await person.expectAccessible();
});

test("a viewer sees what stands, and is offered nothing that would be refused", async () => {
  const viewer = { name: "vera", password: "another horse battery staple" };
  const authorization = { authorization: `Bearer ${made.token}` };
  await made.world.post("/people", { ...viewer, roles: ["viewer"] }, authorization);
  const other = await Person.arrive(made.world);
  await other.signIn(viewer);
  await other.open("/connectors");
  expect(await other.page.getByRole("button", { name: "Add connector" }).count()).toBe(0);
  await other.open("/people");
  await other.page.getByText("You have no permission to see this").waitFor();
  await other.expectAccessible();
  await other.leave();
});
