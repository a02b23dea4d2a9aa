import { afterAll, beforeAll, expect, test } from "vitest";
import { Person } from "./support/person";
import { backUp } from "./support/protected";
import { ADMIN, World } from "./support/world";

const SECRET = "a repository's own long password";

/** The server that is lost, and the one in its place. */
let lost: World;
let next: World;
let location: string;

beforeAll(async () => {
  lost = await World.start({ seed: "small" });
  const token = await lost.setUp();
  await lost.connect(token, "contoso");
  const { items } = await lost.get<{ items: { location: string }[] }>("/repositories", token);
  location = (items[0]?.location ?? "").replace(/[^/]+$/, "kept");
  const authorization = { authorization: `Bearer ${token}` };
  await lost.post("/repositories", { name: "kept", location, password: SECRET }, authorization);
  await lost.post("/policies", { name: "all", repository: "kept", schedule: { when: { every: "manual" } } }, authorization);
  const { state } = await backUp(lost, token, "contoso");
  expect(state).toBe("succeeded");
  await lost.kill();
  next = await World.start({ beside: lost, configuration: `[repositories]\nroots = ["${lost.data}"]\n` });
});
afterAll(async () => {
  await next.stop();
  await lost.stop();
});

test("a lost server comes back from its repository at the first start, and says what has to be signed in to again", async () => {
  const person = await Person.arrive(next);
  const { page } = person;
  await page.goto("/");
  await page.waitForURL("**/setup");
  await page.getByRole("radio", { name: /^Restore this server from a repository/ }).check();
  await page.getByLabel("Set-up token").fill(next.setupToken);
  await page.getByLabel("Your name").fill(ADMIN.name);
  await page.getByLabel(/^Password\s*\*?$/).fill(ADMIN.password);
  await page.getByLabel(/^Folder/).fill(location);
  await page.getByLabel("Password of the repository").fill("not the password");
  await person.expectAccessible();
  await page.getByRole("button", { name: "Set up and restore" }).click();
  await page.getByText(/password/i).filter({ hasText: /wrong|open|no key/i }).first().waitFor();
  await page.getByLabel("Password of the repository").fill(SECRET);
  const asked: string[] = [];
  page.on("request", (request) => request.method() !== "GET" && asked.push(request.url()));
  const pages = await page.evaluate(() => history.length);
  await page.getByRole("button", { name: "Set up and restore" }).dblclick();
  await page.getByRole("heading", { level: 1, name: "This server is restored" }).waitFor();
  await page.getByText("Snapshots, search and history are as before.").waitFor();
  // Two clicks are one wish: one request, one page, and the person is still on it.
  expect(asked.filter((url) => url.endsWith("/api/v1/setup"))).toHaveLength(1);
  expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(pages + 1);
  const service = next.simulator.url.toLowerCase();
  const orphan = page.getByRole("listitem").filter({ hasText: `contoso (Azure DevOps, ${service}/contoso)` });
  await person.expectAccessible();
  // The wizard is that of its address, and knows it: at another one it would be another source.
  await orphan.getByRole("link", { name: "Connect contoso" }).click();
  expect(await page.getByLabel(/^Service address/).first().inputValue()).toBe(service);
  expect(await page.getByLabel(/^Collection/).first().inputValue()).toBe("contoso");
  await page.goBack();
  await page.getByRole("button", { name: "Go to the overview" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  // Its snapshots are there, and say that nobody adds to them.
  await person.open("/snapshots");
  await page.getByRole("link", { name: "contoso" }).click();
  await page.getByRole("table", { name: "All snapshots, the newest first" }).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: /contoso/ }).waitFor();
  await page.getByRole("table", { name: /in this snapshot$/ }).getByRole("link").first().click();
  await person.settled();
  // The policy that came with the program is a decision once somebody saves it, as it is.
  await person.open("/policies/default");
  const held = page.getByText(/this policy removes nothing until you save it/);
  await held.waitFor();
  await page.getByRole("button", { name: "Save policy" }).click();
  await held.waitFor({ state: "detached" });
  await person.leave();
});
