import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { pages } from "./support/pages";
import { Person } from "./support/person";
import { protect, type Protected } from "./support/protected";

const PLACE = join(import.meta.dirname, "../../docs/screenshots");

let made: Protected;
beforeAll(async () => {
  made = await protect({ workItems: 200 });
});
afterAll(() => made.world.stop());

test("pictures of every page", async () => {
  await mkdir(PLACE, { recursive: true });
  const person = await Person.arrive(made.world, { width: 1440 });
  await person.signIn();
  for (const { name, path } of pages(made)) {
    await person.open(path);
    await person.page.getByText("Looking…").first().waitFor({ state: "detached" });
    await person.page.screenshot({ path: join(PLACE, `${name}.png`) });
  }
  await person.leave();
}, 300_000);
