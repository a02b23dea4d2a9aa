import { expect, test } from "vitest";
import { keeper, type Item } from "./support/keeper";
import { stateOf } from "./support/organization";

const k = keeper({ seed: "small", backups: 1, keepAll: true });

interface Live {
  fields: Record<string, unknown>;
  relations?: { rel: string; url: string; attributes: { name?: string; resourceSize?: number } }[];
}

const at = (item: Item, tab = "") => `/snapshots/${k.newest}/item/${item.kind}/${encodeURIComponent(item.id)}${tab && `?tab=${tab}`}`;

async function the(kind: string, name: string): Promise<Item> {
  const found = (await k.items(kind)).find((item) => item.name === name);
  return found ?? expect.unreachable(`${kind} ${name}`);
}

const live = async (path: string) => (await k.world.askService("GET", path)).json();

/** A work item with a file and a comment, as the service has it. */
async function rich(): Promise<{ item: Item; now: Live }> {
  for (const item of await k.items("work-item")) {
    const now = (await live(`_apis/wit/workitems/${item.id}?$expand=all&api-version=7.1`)) as Live;
    if (now.relations?.some(({ rel }) => rel === "AttachedFile")) return { item, now };
  }
  return expect.unreachable("no work item has a file");
}

test("a work item is read as its form, with history, discussion, files, and the raw document beside it", async () => {
  const { page, person } = k;
  const { item, now } = await rich();
  await person.open(at(item));
  const fact = (name: string) => page.locator("dl > div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd");
  expect(await fact("State").textContent()).toBe(now.fields["System.State"]);
  expect(await fact("Area").textContent()).toBe(now.fields["System.AreaPath"]);
  await page.getByRole("table", { name: "All other fields" }).getByRole("row", { name: /Microsoft\.VSTS\./ }).first().waitFor();

  await page.getByRole("tab", { name: "History" }).click();
  const changes = page.getByRole("list", { name: "Changes, the newest first" }).getByRole("listitem");
  await changes.first().getByText(`Revision ${now.fields["System.Rev"]}`).waitFor();

  const project = encodeURIComponent(String(now.fields["System.TeamProject"]));
  const { comments } = (await live(`${project}/_apis/wit/workItems/${item.id}/comments?api-version=7.1-preview.4`)) as { comments: { createdBy: { displayName: string } }[] };
  await page.getByRole("tab", { name: "Discussion" }).click();
  const written = page.getByRole("list", { name: "Discussion" }).getByRole("listitem");
  await written.first().waitFor();
  expect(await written.count()).toBe(comments.length);
  await written.getByRole("heading", { name: comments[0]?.createdBy.displayName ?? "" }).first().waitFor();

  await page.getByRole("tab", { name: "Attachments" }).click();
  const file = now.relations?.find(({ rel }) => rel === "AttachedFile");
  const link = page.getByRole("link", { name: file?.attributes.name ?? "", exact: true }).first();
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe(file?.attributes.name);
  const bytes = await page.request.get((await link.getAttribute("href")) ?? "");
  expect((await bytes.body()).length).toBe(file?.attributes.resourceSize);

  await page.getByRole("tab", { name: "Raw document" }).click();
  await page.getByText('"System.Title"').first().waitFor();
  await person.expectAccessible();
});

test("a repository is read by its files, branches and commits, and a commit says what it changed", async () => {
  const { page, person } = k;
  const repository = await the("git-repository", "Main Project");
  const state = (await stateOf(k.world)).repositories.find(({ name }) => name === "Main Project");
  const branches = Object.keys(state?.refs ?? {}).filter((ref) => ref.startsWith("refs/heads/"));
  await person.open(at(repository, "branches"));
  for (const branch of branches) await page.getByRole("row", { name: new RegExp(branch.replace("refs/heads/", "")) }).first().waitFor();
  await page.getByRole("tab", { name: "Commits" }).click();
  await page.getByRole("table", { name: "Commits" }).getByRole("row").nth(1).getByRole("link").click();
  await page.waitForURL(/[?&]commit=/);
  await page.getByText(/^[+@]/).first().waitFor();
  await person.expectAccessible();
  await page.goBack();
  await page.getByRole("table", { name: "Commits" }).waitFor();
});

test("a wiki's page is rendered, and its source is a click away", async () => {
  const { page, person } = k;
  await person.open(at(await the("wiki", "Main Project.wiki")));
  const pages = page.getByRole("navigation", { name: "Pages of the wiki" }).or(page.getByRole("tabpanel").getByRole("navigation"));
  await pages.first().getByRole("link").first().waitFor();
  const article = page.getByRole("article");
  await article.getByRole("heading").first().waitFor();
  await article.getByRole("button", { name: "Show the source" }).click();
  await article.getByText(/^#/).first().waitFor();
  await person.expectAccessible();
});

test("areas and iterations are trees", async () => {
  const { page, person } = k;
  for (const [kind, title, child] of [["area", "Areas", "Area 1"], ["iteration", "Iterations", "Sprint 1"]] as const) {
    await person.open(`/snapshots/${k.newest}?kind=${kind}`);
    const tree = page.getByRole("tree", { name: title }).first();
    await tree.getByRole("treeitem", { name: new RegExp(`^${child}`) }).first().waitFor();
    await person.expectAccessible();
  }
});

test("what was found is narrowed by kind, project and day, and the filter is taken away again", async () => {
  const { page, person } = k;
  const repository = await the("git-repository", "Main Project");
  await person.open("/search");
  await page.getByLabel("Words", { exact: true }).or(page.getByRole("searchbox")).first().fill("Main Project");
  await page.keyboard.press("Enter");
  const results = page.getByRole("list", { name: "What was found" }).or(page.getByRole("region", { name: "What was found" })).first();
  await results.waitFor();
  const kinds = async () => new Set((await results.getByText(/ in contoso/).allTextContents()).map((text) => text.split(" in ")[0]));
  await page.getByLabel("Kind", { exact: true }).selectOption("git-repository");
  await page.locator(`a[href*="/item/git-repository/${repository.id}"]`).first().waitFor();
  await expect.poll(async () => [...(await kinds())].length).toBe(1);
  const { cli } = await k.shownAs();
  expect(cli).toContain("--kind git-repository");
  await k.type(cli);
  await page.getByLabel("In snapshots until", { exact: true }).fill("2001-01-01");
  await page.getByText("Nothing was found").waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await results.waitFor();
  expect(new URL(page.url()).searchParams.get("kind")).toBeNull();
});
