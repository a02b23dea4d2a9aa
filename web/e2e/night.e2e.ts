import { beforeEach, expect, test } from "vitest";
import { keeper } from "./support/keeper";
import { backUp } from "./support/protected";
import { ADMIN } from "./support/world";

// Somebody who is tired, on a telephone, over a bad line.
const k = keeper({ seed: "small", backups: 1, keepAll: true });
const PASSWORD = "a long password for the office";

beforeEach(async () => {
  await k.page.setViewportSize({ width: 390, height: 844 });
  await k.page.emulateMedia({ colorScheme: "dark" });
});

async function nameSomebody(name: string) {
  await k.person.open("/people");
  await k.button("Add account").click();
  await k.dialog.getByLabel(/^Name/).fill(name);
  await k.dialog.getByLabel(/^Password/).fill(PASSWORD);
}

const add = () => k.button("Add account", k.dialog);

/** The session ends at the server; what the page then reads anew because of a run is refused, and must not lead away from it. */
async function sessionEnds() {
  await k.person.context.clearCookies();
  const refused = k.page.waitForResponse((response) => response.status() === 401);
  await backUp(k.world, k.made.token, k.made.connector);
  await refused;
}

/** By the link in the refusal, in another window. */
async function signInBeside() {
  const { page, person } = k;
  const alert = page.getByRole("alert").filter({ hasText: "Nobody is signed in" }).last();
  await alert.waitFor();
  await person.expectAccessible();
  await person.expectFits();
  const link = alert.getByRole("link", { name: "Sign in in another window" });
  const [door] = await Promise.all([person.context.waitForEvent("page"), link.click()]);
  await door.getByLabel("Name").fill(ADMIN.name);
  await door.getByLabel("Password").fill(ADMIN.password);
  await door.keyboard.press("Enter");
  await door.getByRole("button", { name: /^Account/ }).waitFor();
  await door.close();
  await page.bringToFront();
}

test("a session that ended while something was typed in a dialog takes none of it away", async () => {
  await nameSomebody("nora");
  await sessionEnds();
  await add().click();
  await signInBeside();
  expect(await k.dialog.getByLabel(/^Name/).inputValue()).toBe("nora");
  await add().click();
  await k.told("nora can sign in now");
});

test("a session that ended while a policy was edited takes none of it away", async () => {
  const { page, person } = k;
  await person.open("/policies/keeps%20all");
  await page.getByLabel("Name", { exact: true }).fill("keeps everything");
  await sessionEnds();
  await k.button("Save policy").click();
  await signInBeside();
  await k.button("Save policy").click();
  await k.told("keeps everything is saved");
});

test("a server that is away while something is typed in a dialog takes none of it away", async () => {
  const { page } = k;
  await nameSomebody("otis");
  await page.route("**/api/v1/**", (route) => route.abort());
  await add().click();
  await k.dialog.getByText(/^The server cannot be reached\. Whether this was done is not known/).waitFor();
  await page.unroute("**/api/v1/**");
  await add().click();
  await k.told("otis can sign in now");
  expect(await k.get("/people/otis")).toMatchObject({ roles: ["viewer"] });
});

test("what was done although its answer was lost is not done twice, and not refused for being there", async () => {
  const { page } = k;
  await nameSomebody("rosa");
  await page.route("**/api/v1/people", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await add().click();
  await k.dialog.getByText(/^The server cannot be reached\. Whether this was done is not known/).waitFor();
  expect(await k.get("/people/rosa")).toMatchObject({ roles: ["viewer"] });
  await page.unroute("**/api/v1/people");
  await add().click();
  await k.told("rosa can sign in now");
});

test("two clicks on what makes or removes something do it once, and complain of nothing", async () => {
  const { page, person } = k;
  await nameSomebody("paul");
  await add().dblclick();
  await k.told("paul can sign in now");
  expect(await page.locator(".fui-ToastTitle", { hasText: "paul can sign in now" }).count()).toBe(1);
  await k.dialog.waitFor({ state: "detached" });
  expect(await page.getByRole("alert").count()).toBe(0);

  await person.open("/people/paul");
  await k.button("Remove").click();
  await k.button("Remove", k.dialog).dblclick();
  await k.told("paul is removed");
  await page.waitForURL("**/people");
  expect(await page.getByRole("alert").count()).toBe(0);

  await person.open("/tokens");
  await k.button("Create token").click();
  await k.dialog.getByLabel(/^What it is for/).fill("twice");
  await k.button("Create token", k.dialog).dblclick();
  await k.dialog.getByText("Keep this token").waitFor();
  const { items } = await k.get<{ items: { name: string }[] }>("/tokens");
  expect(items.filter(({ name }) => name === "twice")).toHaveLength(1);
});

test("of two windows with the same plan one applies it, and the other is told", async () => {
  const { page, person } = k;
  await person.open(`/snapshots/${k.newest}?kind=git-repository`);
  await k.button("Restore all of this kind…").click();
  await page.getByRole("radio", { name: /^Duplicate/ }).check();
  await k.plan();
  const other = await person.context.newPage();
  await other.goto(page.url());
  for (const window of [page, other]) {
    await window.getByRole("button", { name: "Apply…" }).click();
    await window.getByRole("dialog").or(window.getByRole("alertdialog")).last().waitFor();
  }
  await k.button("Apply", k.dialog).click();
  await page.getByText(/^(Applied|Applied with issues)$/).first().waitFor({ timeout: 40_000 });
  const late = other.getByRole("dialog").or(other.getByRole("alertdialog")).last();
  if ((await late.count()) > 0) {
    await late.getByRole("button", { name: "Apply", exact: true }).click();
    await late.getByRole("alert").waitFor();
    await late.getByRole("button", { name: "Cancel" }).click();
  }
  await other.getByText(/^(Applied|Applied with issues)$/).first().waitFor();
  expect(await other.getByRole("button", { name: "Apply…" }).count()).toBe(0);
  expect((await k.runs("restore")).length).toBe(1);
  await other.close();
});

test("the browser's way back leads up through the folders that one went down", async () => {
  const { page, person } = k;
  const [repository] = (await k.items("git-repository")).filter(({ name }) => name === "Main Project");
  await person.open(`/snapshots/${k.newest}/item/git-repository/${repository?.id}`);
  await page.getByRole("tab", { name: "Files", exact: true }).click();
  const files = page.getByRole("table", { name: "Files" });
  await files.getByRole("row").nth(1).waitFor();
  const top = await files.getByRole("row").nth(1).textContent();
  await files.getByRole("row").nth(1).getByRole("button").click();
  await page.waitForURL(/[?&](folder|file)=/);
  await person.expectFits();
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("folder") && !url.searchParams.has("file"));
  await files.getByRole("row").nth(1).waitFor();
  expect(await files.getByRole("row").nth(1).textContent()).toBe(top);
});

test("the browser's way back leads into no dialog that has done its work", async () => {
  const { page, person } = k;
  await person.open("/vault");
  await k.button("Add credential").click();
  await k.dialog.getByLabel(/^Name/).fill("once");
  await k.dialog.getByLabel(/^Personal Access Token/).fill(k.world.simulator.pat);
  await k.button("Add credential", k.dialog).click();
  await page.getByRole("heading", { level: 1, name: "once" }).waitFor();
  await page.goBack();
  await page.waitForURL((url) => url.pathname !== "/vault/once");
  await person.settled();
  expect(await page.locator('[aria-modal="true"]').count()).toBe(0);
});

test("every dialog fits a telephone, and nothing of it is inaccessible", async () => {
  const { page, person } = k;
  await k.post("/people", { name: "quinn", password: PASSWORD, roles: ["viewer"], connectors: [k.made.connector] });
  const { items } = await k.get<{ items: { name: string }[] }>("/credentials");
  const credential = `/vault/${encodeURIComponent(items[0]?.name ?? "")}`;
  const dialogs = [
    "/people?add=true",
    "/people?tab=providers&dialog=add",
    ...["edit", "password", "disable", "remove"].map((dialog) => `/people/quinn?dialog=${dialog}`),
    "/tokens?add=true",
    "/workers?add=true",
    "/vault?add=true",
    `${credential}?dialog=rotate`,
    "/notifications?dialog=add",
    "/repositories?add=true",
    "/repositories/default?dialog=edit",
    "/repositories/default?tab=upkeep&dialog=maintenance",
    "/audit?dialog=verify",
    "/account?dialog=codes",
  ];
  const wrong: string[] = [];
  for (const address of dialogs) {
    await page.goto(address);
    await k.dialog.waitFor();
    const wide = await k.dialog.evaluate((dialog) => [...dialog.querySelectorAll("button, input, textarea, select")].some((part) => part.getBoundingClientRect().right > window.innerWidth));
    if (wide) wrong.push(address);
    await person.expectFits();
    await person.expectAccessible();
  }
  expect(wrong).toEqual([]);
}, 120_000);
