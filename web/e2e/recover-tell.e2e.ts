import type { Route } from "playwright-core";
import { expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { changeField } from "./support/organization";
import { Person } from "./support/person";
import { ended, snapshotOf } from "./support/protected";

// What pages tell somebody who is tired and has never seen the organization.
const k = keeper({ workItems: 12, keepAll: true, backups: 1 });

const OVERRIDE = "\u202e";
const VERA = { name: "vera", password: "a long password for the office" };

/** The answer of the server with some of it changed. */
async function changed(route: Route, change: (answer: Record<string, unknown>) => object) {
  const answer = await route.fetch();
  await route.fulfill({ json: change((await answer.json()) as Record<string, unknown>) });
}

test("work items stand in the order of their numbers, and repositories in that of their names", async () => {
  const { page, person } = k;
  await person.open(`/snapshots/${k.newest}?kind=work-item`);
  const cells = page.getByRole("table", { name: /in this snapshot$/ }).locator('[role="row"][aria-rowindex] > [role="cell"]:nth-child(2) > :last-child');
  await expect.poll(() => cells.count()).toBeGreaterThan(9);
  const numbers = (await cells.allTextContents()).map(Number);
  expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
  expect(numbers.some((number) => number < 10) && numbers.some((number) => number >= 10)).toBe(true);
  await person.open(`/snapshots/${k.newest}?kind=git-repository`);
  const names = await page.getByRole("table", { name: /in this snapshot$/ }).getByRole("link").allTextContents();
  expect(names.length).toBeGreaterThan(1);
  expect(names).toEqual(names.toSorted(new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare));
});

test("what cannot be seen in a name is shown by its code, wherever the name is", async () => {
  const { page, person, world } = k;
  const [item] = await k.items("work-item");
  const id = item?.id ?? "";
  await changeField(world, id, "System.Title", `invoice${OVERRIDE}fdp.exe`);
  k.made.snapshots.push(await snapshotOf(world, k.made.token, k.made.connector));
  const seen = "invoice<U+202E>fdp.exe";
  const pages = [
    `/snapshots/${k.newest}?kind=work-item`,
    `/snapshots/${k.newest}/item/work-item/${id}`,
    `/snapshots/${k.newest}/item/work-item/${id}?tab=history`,
    `/snapshots/${k.newest}/item/work-item/${id}?tab=versions`,
    `/snapshots/${k.newest}/item/work-item/${id}?tab=raw`,
    `/snapshots/compare?from=${k.made.snapshots[0]}&to=${k.newest}`,
    "/search?q=invoice",
    `/restore/new?snapshot=${k.newest}&pick=${encodeURIComponent(JSON.stringify([{ type: "item", kind: "work-item", item: id, name: `invoice${OVERRIDE}fdp.exe`, path: item?.path }]))}`,
  ];
  const silent: string[] = [];
  for (const path of pages) {
    await person.open(path);
    await page.getByText("U+202E").first().waitFor({ timeout: 5_000 }).catch(() => silent.push(path));
    const hidden = await page.evaluate((char) => {
      const attributes = [...document.querySelectorAll("*")].flatMap((element) => ["title", "aria-label", "alt"].map((name) => element.getAttribute(name) ?? ""));
      return [document.title, document.body.innerText, ...attributes].some((text) => text.includes(char));
    }, OVERRIDE);
    expect(hidden, path).toBe(false);
  }
  expect(silent).toEqual([]);
  await person.open(pages[1] ?? "");
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(`${id} · ${seen}`);
  await person.expectAccessible();
});

test("a snapshot in which something is old says so in every list, and names the projects", async () => {
  const { page, person } = k;
  const parts = [
    { kind: "team", scope: "5f0d9c8e-1111-4c4e-9f0a-000000000001", scope_name: "Shop", since: "2026-11-01T02:00:00Z" },
    { kind: "wiki", scope: "", since: "2026-11-02T02:00:00Z" },
  ];
  const stale = { stale_parts: parts, stale_items: 2 };
  await page.route("**/api/v1/snapshots?**", (route) => changed(route, (answer) => ({ ...answer, items: (answer["items"] as object[]).map((one) => ({ ...one, ...stale })) })));
  await page.route(`**/api/v1/snapshots/${k.newest}`, (route) => changed(route, (answer) => ({ ...answer, ...stale })));
  const what = /Teams \(Shop\), Wikis,? and 2 items/;
  const [first] = k.made.snapshots;
  const source = "/snapshots/source/azure-devops/contoso";
  for (const path of ["/snapshots", source, `/snapshots/${k.newest}`, `/snapshots/compare?from=${first}&to=${k.newest}`, `/restore/new?snapshot=${k.newest}&pick=${encodeURIComponent('[{"type":"everything"}]')}`]) {
    await person.open(path);
    await page.getByText(what).first().waitFor();
    expect(await page.getByText("5f0d9c8e").count(), path).toBe(0);
    await person.expectFits();
    await person.expectAccessible();
  }
  await person.open(source);
  await page.getByRole("link", { name: /Partly old: not everything could be read\.$/ }).first().waitFor();
  await page.unrouteAll();
});

test("whoever approves that snapshots are forgotten sees of what, of when and how much each is", async () => {
  const { page, person, world } = k;
  await k.post("/people", { ...VERA, roles: ["admin"] });
  const headers = { authorization: `Bearer ${k.made.token}`, "content-type": "application/json" };
  await fetch(`${world.url}/api/v1/settings/four-eyes`, { method: "PUT", headers, body: JSON.stringify({ enabled: true }) });
  const { proposal } = await k.post<{ proposal: string }>("/snapshots/forget", { snapshots: [k.made.snapshots[0]] });
  const vera = await Person.arrive(world);
  await vera.signIn(VERA);
  for (const reader of [vera, person]) {
    await reader.open(`/approvals/${proposal}`);
    const row = reader.page.getByRole("table", { name: "Snapshots that would be deleted" }).getByRole("row").nth(1);
    await row.getByRole("link", { name: "contoso" }).waitFor();
    await row.getByText("The first: everything is new").waitFor();
    const taken = row.getByRole("link").first();
    expect(await taken.getAttribute("href")).toBe(`/snapshots/${k.made.snapshots[0]}`);
    expect(Number((await row.getByRole("cell").nth(2).textContent())?.replace(/\D/g, ""))).toBeGreaterThan(10);
    await reader.expectAccessible();
  }
  await vera.leave();
  await k.post(`/proposals/${proposal}/withdraw`, {});
  expect(page.url()).toContain(proposal);
});

test("a policy that is called new has its page, and a new one another", async () => {
  const { page, person } = k;
  await k.post("/policies", { name: "new", connectors: ["nothing"], schedule: { when: { every: "manual" } } });
  await person.open("/policies");
  await page.getByRole("link", { name: "new", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "new", exact: true }).waitFor();
  await k.button("Save policy").waitFor();
  await person.open("/policies");
  await k.button("New policy").click();
  await k.button("Create policy").waitFor();
});

test("a run leads to its restore plan, however many plans there are", async () => {
  const { page, person, world } = k;
  await page.route("**/api/v1/restore-plans?**", (route) => route.fulfill({ json: { items: [] } }));
  const body = { snapshot: k.newest, target: { connector: k.made.connector }, conflict: "skip", select: { kinds: ["team"] } };
  const { id, plan_run: run } = await k.post<{ id: string; plan_run: string }>("/restore-plans", body);
  await ended(world, k.made.token, run);
  await person.open(`/runs/${run}`);
  await page.locator(`main a[href="/restore/${id}"]`).click();
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  await page.unrouteAll();
});

test("what does not come back is told once for all items that have it, with those under it", async () => {
  const { page, person, world } = k;
  const body = { snapshot: k.newest, target: { connector: k.made.connector }, conflict: "duplicate", select: { kinds: ["git-repository"] } };
  const { id, plan_run: run } = await k.post<{ id: string; plan_run: string }>("/restore-plans", body);
  await ended(world, k.made.token, run);
  const { losses } = await k.get<{ losses: { text: string; items: number }[] }>(`/restore-plans/${id}`);
  const [loss] = losses.filter(({ items }) => items > 1);
  if (!loss) throw new Error("repositories come back whole");
  await person.open(`/restore/${id}?tab=steps`);
  const steps = page.getByRole("table", { name: "Steps" });
  await steps.getByRole("row").nth(1).waitFor();
  expect(await page.getByText(loss.text).count()).toBe(1);
  expect(await steps.getByText(loss.text).count()).toBe(0);
  await page.getByRole("button", { name: `${loss.items} items: ${loss.text}` }).click();
  const under = page.getByRole("table", { name: `Items: ${loss.text}` });
  await expect.poll(() => under.getByRole("row").count()).toBe(loss.items + 1);
  await person.expectAccessible();
});

test("many issues are acknowledged by one request", async () => {
  const { page, person } = k;
  const issue = (item: string) => ({
    connector: k.made.connector, code: "not-found", title: "Gone", kind: "team", scope: "1", scope_name: "Shop", item, message: `team ${item} is gone`, runs: 2, first: "2026-11-20T01:00:00Z", last: "2026-11-21T01:00:00Z",
  });
  await page.route("**/api/v1/issues?**", (route) => route.fulfill({ json: { items: ["a", "b", "c"].map(issue) } }));
  const asked: unknown[] = [];
  await page.route("**/api/v1/issues/acknowledge*", (route) => {
    asked.push(route.request().postDataJSON());
    return route.fulfill({ status: 204 });
  });
  await person.open("/issues");
  await page.getByText("contoso · Teams · Shop · a").waitFor();
  await k.button("Acknowledge all 3: Gone").click();
  await k.dialog.getByText("Gone", { exact: true }).waitFor();
  await k.button("Acknowledge", k.dialog).dblclick();
  await k.told("3 issues acknowledged");
  expect(asked).toHaveLength(1);
  expect((asked[0] as { issues: { item: string }[] }).issues.map(({ item }) => item)).toEqual(["a", "b", "c"]);
  await page.unrouteAll();
});

test("a tree of areas has no end before its last area", async () => {
  const { page, person } = k;
  const MANY = 950;
  const id = (number: number) => String(1000 + number);
  const project = (await k.items("project"))[0];
  await page.route(`**/api/v1/snapshots/${k.newest}/items?**kind=area**`, (route) => {
    const items = Array.from({ length: MANY }, (_, number) => ({ kind: "area", id: id(number), scope: project?.id, name: `Area ${number}`, path: `areas/${id(number)}`, size: 1, binned: false, digest: "" }));
    return route.fulfill({ json: { items } });
  });
  await page.route(`**/api/v1/snapshots/${k.newest}/content?**`, (route) => {
    const number = Number(/areas%2F(\d+)/.exec(route.request().url())?.[1]) - 1000;
    const path = number === 0 ? "\\Shop\\Area" : `\\Shop\\Area\\Area ${number}`;
    return route.fulfill({ contentType: "text/plain; charset=utf-8", body: JSON.stringify({ name: number === 0 ? "Shop" : `Area ${number}`, path }) });
  });
  await page.goto(`/snapshots/${k.newest}?kind=area&project=${project?.id}`);
  // How far it is changes too often to be read out.
  const progress = page.getByText(/^[\d,]+ of 950$/);
  await progress.waitFor();
  expect(await progress.evaluate((words) => words.closest("[role=status], [aria-live]") === null)).toBe(true);
  const tree = page.getByRole("tree", { name: "Areas" });
  await tree.getByRole("link", { name: "Area 1", exact: true }).waitFor();
  for (let left = MANY - 201; left > 0; left -= 200) await tree.getByRole("treeitem", { name: `Show ${left} more` }).click();
  await tree.getByRole("link", { name: `Area ${MANY - 1}`, exact: true }).waitFor();
  // The last of these steps shows Area 801 and what follows: the keyboard is there, not lost with what was pressed.
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Area 801");
  expect(await tree.getByRole("treeitem", { name: /^Show/ }).count()).toBe(0);
  await person.expectAccessible();
  await page.unrouteAll();
}, 120_000);

test("who may not read content is asked for nothing that their roles do not allow", async () => {
  const { world } = k;
  await k.post("/people", { name: "otto", password: VERA.password, roles: ["operator"] });
  const body = { snapshot: k.newest, target: { connector: k.made.connector }, conflict: "duplicate", select: { kinds: ["git-repository"] } };
  const { id, plan_run: run } = await k.post<{ id: string; plan_run: string }>("/restore-plans", body);
  await ended(world, k.made.token, run);
  const otto = await Person.arrive(world);
  await otto.signIn({ name: "otto", password: VERA.password });
  const { page } = otto;
  await otto.open("/snapshots/source/azure-devops/contoso");
  await page.getByText("Choose a snapshot first.", { exact: true }).waitFor();
  expect(await page.getByText(/compare/i).count()).toBe(0);
  expect(await page.locator('main a[href^="/snapshots/compare"]').count()).toBe(0);
  await otto.open(`/restore/${id}`);
  const counts = page.getByRole("table", { name: "What it does" });
  await counts.getByRole("row", { name: /Git repositories/ }).waitFor();
  expect(await counts.getByRole("link").count()).toBe(0);
  await otto.open("/search");
  await page.getByText(/^Names and numbers of everything/).waitFor();
  await otto.leave();
});

test("a list too long to be sorted says in which order it stands", async () => {
  const { page, person } = k;
  const MANY = 6_000;
  await page.route(`**/api/v1/snapshots/${k.newest}`, (route) =>
    changed(route, ({ kinds, ...answer }) => ({ ...answer, kinds: { ...(kinds as object), "work-item": { items: MANY, added: 0, changed: 0, removed: 0 }, team: { items: MANY, added: 0, changed: 0, removed: 0 } } })),
  );
  // What follows the first rows is not there yet.
  await page.route(`**/api/v1/snapshots/${k.newest}/items?**`, (route) => (route.request().url().includes("after=") ? undefined : changed(route, (answer) => ({ ...answer, next: "more" }))));
  await person.open(`/snapshots/${k.newest}?kind=work-item`);
  await page.getByRole("columnheader", { name: "Number, as text" }).waitFor();
  await page.getByText(/their numbers stand as texts do, 10 before 9/).waitFor();
  await page.getByRole("checkbox", { name: "All rows loaded so far" }).waitFor();
  await person.expectAccessible();
  await person.open(`/snapshots/${k.newest}?kind=team`);
  await page.getByText(/they stand in the order of their ids/).waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await person.open(`/snapshots/${k.newest}?kind=work-item`);
  await page.getByRole("columnheader", { name: "Number", exact: true }).waitFor();
  expect(await page.getByText(/too many to be sorted/).count()).toBe(0);
});
