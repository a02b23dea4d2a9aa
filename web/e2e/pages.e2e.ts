import { afterAll, beforeAll, describe, test } from "vitest";
import { Person } from "./support/person";
import { protect, type Protected } from "./support/protected";
import { pages } from "./support/pages";

let made: Protected;
beforeAll(async () => {
  made = await protect({ workItems: 40 });
});
afterAll(() => made.world.stop());

const LOOKS = [
  { width: 1440, dark: false },
  { width: 1440, dark: true },
  { width: 390, dark: false },
  { width: 390, dark: true },
];

describe.each(LOOKS)("at $width pixels, dark: $dark", (look) => {
  test("every page fits, is accessible, and the browser has nothing to complain about", async () => {
    const person = await Person.arrive(made.world, look);
    await person.signIn();
    const broken: string[] = [];
    for (const { name, path } of pages(made)) {
      try {
        await person.open(path);
        await person.expectFits();
        await person.expectAccessible();
      } catch (error) {
        broken.push(`${name} (${path}): ${String(error).slice(0, 1500)}`);
      }
    }
    await person.leave();
    if (broken.length > 0) throw new Error(broken.join("\n\n"));
  }, 300_000);
});
