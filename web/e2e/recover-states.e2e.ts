import { expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { Person } from "./support/person";
import { backUp } from "./support/protected";

const k = keeper({ workItems: 12, keepAll: true, backups: 1 });

const LOST = /^The connection to the server is lost/;

test("a lost server is told, and the page heals by itself when it is back", async () => {
  const { page, person, world } = k;
  await person.open("/runs?kind=backup");
  const rows = page.getByRole("table", { name: "Runs, the newest first" }).getByRole("row");
  expect(await rows.count()).toBe(2);
  await world.kill();
  await page.getByText(LOST).waitFor();
  await person.expectAccessible();
  // A page that was not read yet cannot be shown; what was read stays.
  await rows.nth(1).waitFor();
  await page.getByRole("link", { name: "Repositories", exact: true }).click();
  await page.getByText("The server cannot be reached").first().waitFor();
  await world.restart();
  await page.getByText(LOST).waitFor({ state: "detached" });
  await page.getByRole("row", { name: /^default/ }).waitFor();
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  const { id } = await backUp(world, k.made.token, k.made.connector);
  await page.locator(`a[href$="/runs/${id}"]`).waitFor();
});

test("of a write that did not get through nobody claims that it was or was not done", async () => {
  const { page, person } = k;
  await person.open(`/connectors/${k.made.connector}`);
  await page.route("**/api/v1/backups", (route) => route.abort());
  await k.button("Run backup").click();
  await k.told(/^The server cannot be reached\. Whether this was done is not known/);
  expect(await k.button("Run backup").isEnabled()).toBe(true);
});

test("two clicks start one run", async () => {
  const { page, person } = k;
  const before = (await k.runs("backup")).length;
  await person.open(`/connectors/${k.made.connector}`);
  await k.button("Run backup").dblclick();
  await k.runEnded();
  expect((await k.runs("backup")).length).toBe(before + 1);
  const plans = async () => (await k.get<{ items: unknown[] }>("/restore-plans")).items.length;
  await person.open(`/snapshots/${k.newest}?kind=team`);
  await k.button("Restore all of this kind…").click();
  await k.button("Make the plan").dblclick();
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  expect(await plans()).toBe(1);
});

test("the page of a plan at work tells how far it is, before any event comes", async () => {
  const { page } = k;
  const { items } = await k.get<{ items: { id: string }[] }>("/restore-plans");
  const alter = (path: string, change: object) =>
    page.route(path, async (route) => route.fulfill({ json: { ...((await (await route.fetch()).json()) as object), ...change } }));
  await page.route("**/api/v1/events", (route) => route.abort());
  await alter(`**/api/v1/restore-plans/${items[0]?.id}`, { state: "applying" });
  await alter("**/api/v1/runs/*", { state: "running", progress: { phase: "links", items: 20, expected: 39, bytes: 0, requests: 7 } });
  await page.goto(`/restore/${items[0]?.id}`);
  await page.getByText("20 of 39", { exact: true }).waitFor();
});

test("what the server could not answer is asked for again by a button", async () => {
  const { page, person } = k;
  await page.route("**/api/v1/policies", (route) => route.fulfill({ status: 500, contentType: "text/html", body: "<h1>Bad day</h1>" }));
  await page.goto("/policies");
  await page.getByText("This could not be loaded").waitFor();
  await person.expectAccessible();
  await page.unroute("**/api/v1/policies");
  await k.button("Try again").click();
  await page.getByRole("table", { name: "Policies" }).waitFor();
});

test("a connector whose address nobody can tell is told wherever it is shown, with what to do", async () => {
  const { page, person } = k;
  const unplaced = { address: null, address_error: "this program does not know the service `vault`" };
  for (const [path, member] of [["overview", "sources"], ["connectors?**", "items"]] as const) {
    await page.route(`**/api/v1/${path}`, async (route) => {
      const answer = (await (await route.fetch()).json()) as Record<string, object[]>;
      await route.fulfill({ json: { ...answer, [member]: answer[member]?.map((one) => ({ ...one, ...unplaced })) } });
    });
  }
  await person.open("/");
  await page.getByText("Address not known", { exact: true }).waitFor();
  await page.getByRole("link", { name: "contoso: its address is not known, so it is not backed up" }).waitFor();
  for (const path of ["/", "/connectors", "/snapshots"]) {
    await person.open(path);
    await page.getByText(/Its address is not known.*does not know the service vault.*service address/).waitFor();
    await person.expectAccessible();
  }
  await page.unrouteAll();
});

test("a session that ended elsewhere leads to the sign-in, and from there back", async () => {
  const { page, person } = k;
  await person.open("/runs?kind=backup");
  await person.context.clearCookies();
  await page.getByLabel("State").selectOption({ label: "Succeeded" });
  await page.waitForURL("**/sign-in?**");
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/runs?kind=backup&state=succeeded");
});

test("what is gone, or never was, says so", async () => {
  const { page, person } = k;
  const ID = "0".repeat(64);
  const paths = [
    "/nothing/here",
    "/connectors/gone",
    "/policies/gone",
    "/runs/gone",
    "/repositories/gone",
    "/vault/gone",
    "/people/gone",
    "/restore/gone",
    "/approvals/gone",
    "/apps/gone",
    `/snapshots/${ID}`,
    `/snapshots/${ID}/item/work-item/1`,
    `/snapshots/compare?from=${ID}&to=${ID}`,
  ];
  for (const path of paths) {
    await page.goto(path);
    await page.getByText("This does not exist any more").waitFor();
    await person.expectAccessible();
  }
  // An address that no page has leads on, too.
  await page.goto("/nowhere/at/all");
  await page.getByRole("heading", { level: 1, name: "This does not exist any more" }).waitFor();
  await person.expectAccessible();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Overview" }).waitFor();
  await page.getByRole("link", { name: "Go to the overview" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
});

/** Something else changes: every page reads anew what it shows. */
async function somethingChanges() {
  await k.post("/policies", { name: "passing", connectors: ["nothing"], schedule: { when: { every: "manual" } } });
  await k.world.remove("/policies/passing", k.made.token);
}

test("what goes, or is closed to this person, while its page is open is shown no longer", async () => {
  const { page, person } = k;
  await k.post("/policies", { name: "brief", connectors: ["nothing"], schedule: { when: { every: "manual" } } });
  await k.post("/people", { name: "rita", password: "another horse battery staple", roles: ["viewer"] });
  const [run] = await k.runs("backup");
  const { items } = await k.get<{ items: { name: string }[] }>("/credentials");
  const credential = encodeURIComponent(items[0]?.name ?? "");
  const plan = await k.post<{ id: string }>("/restore-plans", { snapshot: k.newest, target: { connector: k.made.connector }, select: { kinds: ["team"] } });
  const [item] = await k.items("work-item");
  const own = (path: string) => [path, path] as const;
  const pages = [
    own(`/connectors/${k.made.connector}`),
    own("/policies/brief"),
    own(`/runs/${run?.id}`),
    own("/repositories/default"),
    [`/vault/${credential}`, `/credentials/${credential}`],
    own("/people/rita"),
    [`/restore/${plan.id}`, `/restore-plans/${plan.id}`],
    own(`/snapshots/${k.newest}`),
    [`/snapshots/${k.newest}/item/work-item/${item?.id}`, `/snapshots/${k.newest}`],
    ["/runs", "/runs"],
    ["/policies", "/policies"],
    ["/", "/overview"],
  ] as const;
  const stayed: string[] = [];
  for (const [path, asked] of pages) {
    for (const [status, words] of [[404, "This does not exist any more"], [403, "You have no permission to see this"]] as const) {
      await person.open(path);
      const problem = { type: "about:blank", title: "No", status, code: status === 404 ? "run-not-found" : "role-missing", detail: "it is not to be seen" };
      await page.route(`**/api/v1${asked}`, (route) => route.fulfill({ status, contentType: "application/problem+json", body: JSON.stringify(problem) }));
      await somethingChanges();
      await page.getByText(words).first().waitFor({ timeout: 5_000 }).catch(() => stayed.push(`${path}: ${status}`));
      await page.unrouteAll();
    }
  }
  expect(stayed).toEqual([]);
  await person.expectAccessible();
}, 120_000);

test("what was typed stays when the thing that it is about goes", async () => {
  const { page, person } = k;
  await k.post("/policies", { name: "short", connectors: ["nothing"], schedule: { when: { every: "manual" } } });
  await person.open("/policies/short");
  await page.getByLabel("Name", { exact: true }).fill("longer");
  const gone = page.waitForResponse((response) => response.status() === 404);
  await k.world.remove("/policies/short", k.made.token);
  await gone;
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("longer");
  await k.button("Save policy").click();
  await page.getByRole("alert").first().waitFor();
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("longer");
});

test("a viewer is told what their roles do not allow, and by whom that changes", async () => {
  const viewer = { name: "vera", password: "another horse battery staple" };
  await k.post("/people", { ...viewer, roles: ["viewer"] });
  const other = await Person.arrive(k.world);
  await other.signIn(viewer);
  const open: string[] = [];
  for (const path of ["/people", "/vault", "/vault/gone", "/audit", "/notifications", "/apps", "/new/policy"]) {
    await other.open(path);
    if ((await other.page.getByText("You have no permission to see this").count()) === 0) open.push(path);
    await other.expectAccessible();
  }
  expect(open).toEqual([]);
  await other.open(`/snapshots/${k.newest}`);
  await other.page.getByText("You may see how much this snapshot holds, but not its content").waitFor();
  for (const label of ["Restore everything…", "Verify now"]) expect(await other.page.getByRole("button", { name: label }).count()).toBe(0);
  await other.leave();
});
