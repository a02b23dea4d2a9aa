import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { addOrganization, changeField, fieldsOf, type Organization, refsOf, repositoryOf, stateOf } from "./support/organization";
import { unzip } from "./support/zip";

const PROJECT = "Adventure Works";

const k = keeper({ workItems: 30, backups: 1 });

/** What git itself sees of a repository. */
function lsRemote(repository: string): string {
  const { url, organization, pat } = k.world.simulator;
  const address = new URL(`${url}/${organization}/${encodeURIComponent(PROJECT)}/_git/${repository}`);
  address.username = "any";
  address.password = pat;
  const listed = execFileSync("git", ["-c", "credential.helper=", "ls-remote", address.href], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return listed.split("\n").filter((line) => !line.includes("\trefs/pull/")).join("\n");
}

test("a repository that is gone for good comes back with every ref, and the restore is taken back", async () => {
  const { page, person, world } = k;
  const name = "Services";
  const before = repositoryOf(await stateOf(world), PROJECT, name);
  const refs = lsRemote(name);
  expect(refs.split("\n").length).toBeGreaterThan(3);
  const place = `${encodeURIComponent(PROJECT)}/_apis/git`;
  await world.askService("DELETE", `${place}/repositories/${before?.id}?api-version=7.1`);
  await world.askService("DELETE", `${place}/recycleBin/repositories/${before?.id}?api-version=7.1`);
  expect(() => lsRemote(name)).toThrow();

  await person.open(`/snapshots/${k.newest}?kind=git-repository`);
  await k.select(name);
  await k.select("Product");
  await k.button("Add to basket").click();
  // The basket stays while one looks elsewhere, also over a reload.
  await person.open("/runs");
  await k.button("Restore basket: 2 entries").click();
  await person.settled();
  await person.expectAccessible();
  await k.button(/^Remove .*Product from the selection$/).click();
  await k.plan();
  expect(await page.getByRole("button", { name: /^Restore basket/ }).count()).toBe(0);
  await person.expectAccessible();
  await k.apply();

  const after = repositoryOf(await stateOf(world), PROJECT, name);
  expect(refsOf(after)).toEqual(refsOf(before));
  expect(after?.id).not.toBe(before?.id);
  expect(lsRemote(name)).toBe(refs);
  const report = page.getByRole("table", { name: "Report" });
  await report.getByRole("row", { name: new RegExp(`${name}.*Done`) }).waitFor();
  const link = report.getByRole("link", { name: `${before?.id} → ${after?.id}` });
  expect(new URL((await link.getAttribute("href")) ?? "").pathname).toContain("_git");
  await person.expectAccessible();

  await k.button("Undo…").click();
  await k.button("Make the plan", k.dialog).click();
  await page.getByRole("heading", { level: 1, name: /^Take back a restore/ }).waitFor();
  await page.getByText("Ready to apply", { exact: true }).waitFor();
  await k.button("Apply…").click();
  expect(await k.button("Apply", k.dialog).isDisabled()).toBe(true);
  await k.dialog.getByRole("textbox").fill("another organization");
  expect(await k.button("Apply", k.dialog).isDisabled()).toBe(true);
  await k.button("Cancel", k.dialog).click();
  await k.apply(world.simulator.organization);
  expect(repositoryOf(await stateOf(world), PROJECT, name)).toBeUndefined();
});

test("a work item is replaced after its organization was typed, with another person in the place of one who left", async () => {
  const { page, person, world } = k;
  const { people } = await stateOf(world);
  const [item] = await k.items("work-item");
  if (item === undefined) throw new Error("there is no work item");
  const stored = await k.get<{ fields: Record<string, { uniqueName?: string }> }>(`/snapshots/${k.newest}/content?path=${item.path}/work-item.json`);
  const author = stored.fields["System.AssignedTo"]?.uniqueName ?? stored.fields["System.CreatedBy"]?.uniqueName;
  const other = people.find(({ uniqueName }) => uniqueName !== author);
  await changeField(world, item.id, "System.Title", "Spoiled by a script");

  await person.open(`/snapshots/${k.newest}/item/work-item/${item.id}`);
  await k.button("Restore…").click();
  await page.getByRole("radio", { name: /^Replace/ }).check();
  await k.plan();
  await page.getByRole("tab", { name: "People" }).click();
  const row = page.getByRole("row").filter({ hasText: author ?? "" });
  await row.getByRole("textbox").fill(other?.uniqueName ?? "");
  await person.expectAccessible();
  // What is not saved would not be applied: it holds that up, and stays while somebody looks elsewhere.
  await page.getByRole("tab", { name: "What it does" }).click();
  expect(await k.button("Apply…").getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("tab", { name: "People" }).click();
  expect(await row.getByRole("textbox").inputValue()).toBe(other?.uniqueName);
  await k.button("Save the mapping").click();
  await k.told("The mapping is saved");
  await k.apply(world.simulator.organization);

  const fields = await fieldsOf(world, item.id);
  expect(fields["System.Title"]).toBe(item.name);
  await page.getByRole("tab", { name: "People" }).click();
  await row.getByText(other?.uniqueName ?? "", { exact: true }).waitFor();
});

test("a project is restored into another organization, where it gets ids of its own", async () => {
  const { page, person, world } = k;
  const name = "Fabrikam Fiber";
  await world.connect(k.made.token, "rescue", await addOrganization(world, "rescue"));
  await person.open(`/snapshots/${k.newest}?kind=project`);
  await k.select(name);
  await k.button("Restore…").first().click();
  await page.getByLabel("Connector to restore into").selectOption({ label: "rescue: another organization (rescue)" });
  await page.getByText("Into another organization, people can be mapped").waitFor();
  await k.plan();
  await k.button("Apply…").click();
  await k.button("Apply", k.dialog).click();
  // The plan shows how far it is, while it is at work.
  await page.getByRole("progressbar", { name: "Progress" }).waitFor();
  await k.applied();
  const [there, here] = [await stateOf(world, "rescue"), await stateOf(world)];
  const [copy, original] = [repositoryOf(there, name, name), repositoryOf(here, name, name)];
  expect(refsOf(copy)).toEqual(refsOf(original));
  expect(copy?.id).not.toBe(original?.id);
  const report = page.getByRole("table", { name: "Report" });
  await page.getByLabel("Kind", { exact: true }).selectOption("work-item");
  await report.getByRole("link", { name: /^\d+ → \d+$/ }).first().waitFor();
  await page.getByLabel("Result", { exact: true }).selectOption({ label: "Failed" });
  await page.getByText("No step matches this filter").waitFor();
  await person.expectAccessible();
});

test("a project that was deleted comes back in place, as what it was, with all that is in it", async () => {
  const { page, person, world } = k;
  const name = "Fabrikam Fiber";
  const before = await stateOf(world);
  const id = before.projects.find((one) => one.name === name)?.id ?? "";
  const inside = ({ repositories }: Organization) => repositories.filter(({ projectName }) => projectName === name).map((one) => [one.id, one.name, refsOf(one)]);
  await world.askService("DELETE", `_apis/projects/${id}?api-version=7.1`);
  expect((await stateOf(world)).projects.some((one) => one.id === id)).toBe(false);

  await person.open(`/snapshots/${k.newest}?kind=project`);
  await k.select(name);
  await k.button("Restore…").first().click();
  await k.plan();
  await person.expectAccessible();
  await k.button("Apply…").click();
  await k.button("Apply", k.dialog).click();
  await k.applied();

  const after = await stateOf(world);
  expect(after.projects.find((one) => one.name === name)?.id).toBe(id);
  expect(inside(after)).toEqual(inside(before));
  await page.getByRole("table", { name: "Report" }).getByRole("row", { name: new RegExp(`${name}.*Done`) }).first().waitFor();
});

test("what is selected is downloaded as an archive whose files are the stored ones", async () => {
  const { page, person } = k;
  const [, item] = await k.items("work-item");
  if (item === undefined) throw new Error("there is no work item");
  await person.open(`/snapshots/${k.newest}?kind=work-item`);
  await k.select(item.name);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download as ZIP" }).first().click()]);
  expect(download.suggestedFilename()).toMatch(/\.zip$/);
  const files = unzip(Buffer.concat(await (await download.createReadStream()).toArray()));
  const path = [...files.keys()].find((one) => one.endsWith("/work-item.json"));
  expect(path).toContain(item.path.split("/").at(-1));
  expect((JSON.parse(files.get(path ?? "")?.toString() ?? "{}") as { id: number }).id).toBe(Number(item.id));
  expect([...files.keys()].some((one) => one.endsWith("/revisions.ndjson"))).toBe(true);
});

test("a project is downloaded with all that belongs to it, wherever it lies in the snapshot", async () => {
  const { page, person } = k;
  const project = (await k.items("project")).find(({ name }) => name === "Fabrikam Fiber");
  if (project === undefined) throw new Error("there is no such project");
  await person.open(`/snapshots/${k.newest}?kind=project`);
  await k.select(project.name);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download as ZIP" }).first().click()]);
  const files = [...unzip(Buffer.concat(await (await download.createReadStream()).toArray())).keys()];
  for (const { path } of await k.items("work-item", `project=${project.id}&limit=200`)) {
    expect(files).toContain(`${path}/work-item.json`);
  }
  expect(files).toContain(`${project.path}/project.json`);
  expect(files.some((file) => file.startsWith("git/"))).toBe(true);
});
