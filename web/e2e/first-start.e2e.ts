import { afterAll, beforeAll, expect, test } from "vitest";
import { Person } from "./support/person";
import { ADMIN, World } from "./support/world";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("a new server asks for its token, and the administrator who brings it is signed in", async () => {
  const person = await Person.arrive(world);
  await person.page.goto("/connectors");
  await person.page.waitForURL("**/setup");
  await person.expectAccessible();
  await person.page.getByLabel("Set-up token").fill("not the token");
  await person.page.getByLabel("Your name").fill(ADMIN.name);
  await person.page.getByLabel("Password").fill(ADMIN.password);
  await person.page.getByRole("button", { name: "Set up", exact: true }).click();
  await person.page.getByRole("alert").waitFor();
  await person.page.getByLabel("Set-up token").fill(world.setupToken);
  await person.page.getByRole("button", { name: "Set up", exact: true }).click();
  await person.page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await person.leave();
});

test("a wrong password is refused in words, and the right one leads to where the person wanted to go", async () => {
  const person = await Person.arrive(world);
  await person.page.goto("/account");
  await person.page.waitForURL("**/sign-in?**");
  await person.page.getByLabel("Name").fill(ADMIN.name);
  await person.page.getByLabel("Password").fill("wrong");
  await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await person.page.getByRole("alert").waitFor();
  await person.page.getByLabel("Password").fill(ADMIN.password);
  await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await person.page.waitForURL("**/account");
  await person.leave();
});

test("a link to the sign-in never leads to another server", async () => {
  const person = await Person.arrive(world);
  await person.page.goto("/sign-in?to=https://example.com/");
  await person.page.getByLabel("Name").fill(ADMIN.name);
  await person.page.getByLabel("Password").fill(ADMIN.password);
  await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await person.page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  expect(new URL(person.page.url()).origin).toBe(world.url);
  await person.leave();
});
