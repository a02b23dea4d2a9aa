import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Person } from "./support/person";
import { World } from "./support/world";

const PASSWORD = "another horse battery staple";
const ROLES = ["viewer", "operator", "restorer", "auditor"] as const;
type Role = (typeof ROLES)[number];

/** The pages that a role is offered beside those that everybody is. */
const OFFERED: Record<Role, string[]> = {
  viewer: [],
  operator: ["Password Manager", "App management", "Notifications"],
  restorer: ["Restore"],
  auditor: ["Audit log"],
};
const GUARDED = ["Restore", "Password Manager", "App management", "People", "Notifications", "Audit log", "Settings"];
const REASON = "Your roles do not allow it. An administrator can change your roles under People.";

let world: World;
let person: Person;
let policy: string;

beforeAll(async () => {
  world = await World.start({ pages: false });
  const token = await world.setUp();
  await world.connect(token, "contoso");
  const { items } = await world.get<{ items: { policy: { name: string } }[] }>("/policies", token);
  policy = items[0]?.policy.name ?? "";
  for (const role of ROLES) {
    await world.post("/people", { name: role, password: PASSWORD, roles: [role] }, { authorization: `Bearer ${token}` });
  }
});
afterAll(() => world.stop());

const button = (name: string | RegExp) => person.page.getByRole("button", { name, exact: typeof name === "string" });

/** The page itself is refused, with the reason. */
async function refused(path: string) {
  await person.page.goto(path);
  await person.page.getByText("You have no permission to see this").waitFor();
  await person.page.getByText(REASON).waitFor();
  await person.expectAccessible();
}

describe.each(ROLES)("%s", (role) => {
  const operates = role === "operator";

  beforeAll(async () => {
    person = await Person.arrive(world);
    await person.signIn({ name: role, password: PASSWORD });
    return () => person.leave();
  });
  beforeEach(() => person.afresh());

  test("is offered the pages that it may see, and no others", async () => {
    await person.open("/connectors");
    const navigation = person.page.getByRole("navigation", { name: "Pages" });
    await navigation.getByRole("link", { name: "Connectors" }).waitFor();
    const offered = [];
    for (const name of GUARDED) {
      if ((await navigation.getByRole("link", { name, exact: true }).count()) > 0) offered.push(name);
    }
    expect(offered.toSorted()).toEqual(OFFERED[role].toSorted());
  });

  test("sre_01 sre_02: sees the connectors, and what it may not do with them is left out", async () => {
    const { page } = person;
    await person.open("/connectors");
    await page.getByRole("row", { name: /contoso.*Connected/ }).waitFor();
    for (const control of [button("Add connector"), button("Actions for contoso"), page.getByRole("checkbox", { name: "Select contoso" }), button("Remove")]) {
      expect(await control.count(), String(control)).toBe(operates ? 1 : 0);
    }
    await person.open("/connectors/contoso?tab=settings");
    await page.getByRole("tab", { name: "Overview" }).waitFor();
    for (const tab of ["Repositories", "Checks", "Settings"]) {
      expect(await page.getByRole("tab", { name: tab }).count(), tab).toBe(operates ? 1 : 0);
    }
    for (const control of [button("Run backup"), button("Delete connector")]) {
      expect(await control.count(), String(control)).toBe(operates ? 1 : 0);
    }
    await person.expectAccessible();
  });

  test("sre_01: adds a connector, or is told who could let it", async () => {
    const { page } = person;
    if (operates) {
      await person.open("/connect");
      await button("Connect Azure DevOps").waitFor();
      return;
    }
    for (const path of ["/connect", "/connect/azure-devops", "/connect/azure-devops/advanced", "/connectors/contoso/sign-in"]) {
      await page.goto(path);
      await page.getByText("You have no permission to see this").waitFor();
      await page.getByText(REASON).waitFor();
      expect(await page.getByRole("textbox").count(), path).toBe(0);
    }
    await person.expectAccessible();
  });

  test("reads policies, and changes them or is told that it may not", async () => {
    const { page } = person;
    await person.open("/policies");
    await page.getByRole("link", { name: policy, exact: true }).waitFor();
    expect(await button("New policy").count()).toBe(operates ? 1 : 0);
    await person.open(`/policies/${encodeURIComponent(policy)}`);
    if (operates) {
      await page.getByRole("textbox").first().waitFor();
    } else {
      await page.getByText("You may see this policy, but not change it.").waitFor();
      expect(await page.getByRole("textbox").count()).toBe(0);
      await refused("/new/policy?connector=contoso");
    }
    await person.expectAccessible();
  });

  test("opens the Password Manager, or is told that its roles do not allow it", async () => {
    if (!operates) return refused("/vault");
    await person.open("/vault");
    await button("Add credential").waitFor();
    await person.page.getByRole("row", { name: /contoso/ }).first().waitFor();
  });
});
