import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { snapshotOf } from "./support/protected";

const MANY = 100_000;
/** In one folder of a repository, on a real server. */
const FILES = 20_000;
/** Larger than the server's pages, so that the end is not far. */
const PAGE = 5_000;
/** Rows in the document, however many the list has. */
const IN_DOCUMENT = 80;

// A snapshot that retention takes away is shown no longer.
const k = keeper({ workItems: 12, keepAll: true, backups: 0 });

/** A repository with one folder of many files, pushed as anybody pushes. */
beforeAll(async () => {
  const { url, organization, pat } = k.world.simulator;
  const folder = await mkdtemp(join(tmpdir(), "keepward-many-"));
  const git = (words: string[], input = "") => execFileSync("git", ["-C", folder, ...words], { input, stdio: ["pipe", "pipe", "ignore"] });
  const address = new URL(`${url}/${organization}/Adventure%20Works/_git/Nothing%20Yet`);
  address.username = "any";
  address.password = pat;
  const files = Array.from({ length: FILES }, (_, number) => `M 100644 :1 many/${String(number).padStart(6, "0")}.txt`);
  git(["init", "--quiet", "--bare"]);
  git(
    ["fast-import", "--quiet"],
    `blob\nmark :1\ndata 3\nhi\n\ncommit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 4\nmany\n${files.join("\n")}\n\n`,
  );
  git(["push", "--quiet", address.href, "main"]);
  await rm(folder, { recursive: true });
  k.made.snapshots.push(await snapshotOf(k.world, k.made.token, k.made.connector));
});

const rowsOf = (table: Locator) => table.getByRole("row");

/** Scrolls by the keyboard through so many pages, or until nothing more follows, and tells how many rows were in the document at most. */
async function scroll(table: Locator, pages: number): Promise<number> {
  const frame = table.locator("xpath=..");
  await frame.focus();
  let most = 0;
  for (let page = 1; page < pages; page += 1) {
    most = Math.max(most, await rowsOf(table).count());
    if ((await table.getAttribute("aria-rowcount")) !== "-1") break;
    const height = await frame.evaluate((element) => element.scrollHeight);
    await k.page.keyboard.press("End");
    await frame.evaluate(
      (element, before) =>
        new Promise<void>((done) => {
          const look = () => {
            const whole = element.querySelector('[role="table"]')?.getAttribute("aria-rowcount") !== "-1";
            if (whole || element.scrollHeight > before) done();
            else requestAnimationFrame(look);
          };
          look();
        }),
      height,
    );
  }
  await k.page.keyboard.press("End");
  return Math.max(most, await rowsOf(table).count());
}

/** The middle one of the times between two frames, while the list is pulled from its end to its beginning. */
async function frameTime(table: Locator): Promise<number> {
  return table.locator("xpath=..").evaluate(
    (element) =>
      new Promise<number>((done) => {
        const times: number[] = [];
        const step = element.scrollHeight / 60;
        let last = performance.now();
        const pull = () => {
          const now = performance.now();
          times.push(now - last);
          last = now;
          element.scrollTop -= step;
          if (element.scrollTop > 0) requestAnimationFrame(pull);
          else done(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0);
        };
        requestAnimationFrame(pull);
      }),
  );
}

test("a folder of twenty thousand files opens at once, and is read as far as one scrolls", async () => {
  const { page, person } = k;
  const repository = (await k.items("git-repository")).find(({ name }) => name === "Nothing Yet");
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("/git/tree") && asked.push(request.url()));
  await person.open(`/snapshots/${k.newest}/item/git-repository/${repository?.id}?tab=files&folder=many`);
  const table = page.getByRole("table", { name: "Files" });
  await table.getByRole("button", { name: "000000.txt" }).waitFor();
  // What nobody has scrolled to is not asked for.
  expect(asked.length).toBeLessThanOrEqual(2);
  expect(await scroll(table, 8)).toBeLessThan(IN_DOCUMENT);
  await table.getByRole("button", { name: "001599.txt" }).waitFor();
  expect(asked.length).toBeLessThanOrEqual(10);
  expect(new Set(asked).size).toBe(asked.length);
  await table.locator("xpath=..").press("Home");
  await table.getByRole("button", { name: "000000.txt" }).waitFor();
  await person.expectAccessible();
});

test("a list of a hundred thousand work items scrolls to its last one, and is not read again when a run ends", async () => {
  const { page, person } = k;
  let asked = 0;
  await page.route(`**/api/v1/snapshots/${k.newest}/items?**`, async (route) => {
    asked += 1;
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get("after") ?? 0);
    const items = Array.from({ length: PAGE }, (_, number) => {
      const id = String(from + number + 1);
      return { kind: "work-item", id, scope: "", name: `Work item ${id}`, path: `work-items/${id}`, size: 1, binned: false };
    });
    const next = from + items.length < MANY ? String(from + items.length) : null;
    await route.fulfill({ json: { items, next } });
  });
  await person.open(`/snapshots/${k.newest}?kind=work-item`);
  const table = page.getByRole("table", { name: /in this snapshot$/ });
  await table.getByRole("link", { name: "Work item 1", exact: true }).waitFor();
  expect(asked).toBeLessThanOrEqual(2);
  expect(await scroll(table, MANY / PAGE + 1)).toBeLessThan(IN_DOCUMENT);
  await table.getByRole("link", { name: `Work item ${MANY}`, exact: true }).waitFor();
  expect(await frameTime(table)).toBeLessThan(100);
  const pages = asked;
  // What a snapshot holds never changes: nothing is asked for again when something happens elsewhere.
  await snapshotOf(k.world, k.made.token, k.made.connector);
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("table", { name: "Runs, the newest first" }).waitFor();
  await page.goBack();
  await table.waitFor();
  expect(asked).toBe(pages);
});

test("a list of runs that somebody has scrolled far through is not read anew at each event", async () => {
  const { page, person } = k;
  const [run] = await k.runs("backup");
  let asked = 0;
  await page.route("**/api/v1/runs?**", async (route) => {
    asked += 1;
    const from = Number(new URL(route.request().url()).searchParams.get("after") ?? 0);
    const items = Array.from({ length: 50 }, (_, number) => ({ ...run, id: `run-${from + number}` }));
    await route.fulfill({ json: { items, next: from < 450 ? String(from + items.length) : null } });
  });
  await person.open("/runs?kind=backup");
  const table = page.getByRole("table", { name: "Runs, the newest first" });
  await scroll(table, 20);
  await table.locator('[aria-rowindex="501"]').waitFor();
  const pages = asked;
  expect(pages).toBeGreaterThanOrEqual(10);
  // What else is on the page is read when the events come.
  const heard = page.waitForResponse((response) => new URL(response.url()).pathname === "/api/v1/connectors");
  await snapshotOf(k.world, k.made.token, k.made.connector);
  await heard;
  expect(asked).toBe(pages);
});
