import { beforeAll, expect, test } from "vitest";
import { accept, desk } from "./support/desk";

const at = desk();
/** A member of the organizations without special rights. */
const MEMBER = "adele.vance@contoso.example";

beforeAll(async () => {
  for (const name of ["adventure-works", "northwind", "tailspin", "wingtip"]) await at.world.simulate("/__organizations", { name });
  await at.world.simulate("/__access", { organization: "adventure-works", person: MEMBER, administrator: false, owner: true });
  await at.world.simulate("/__access", { organization: "wingtip", person: MEMBER, member: false });
  await at.world.simulate("/__access", { organization: "northwind", person: MEMBER, entered: false });
  await at.world.simulate("/__access", { organization: "tailspin", thirdPartyAccess: false });
  await at.world.post("/people", { name: "olga", password: "another horse battery staple", roles: ["operator"], connectors: [] }, at.authorization);
});

/** What was found out about one of the organizations. */
const card = (organization: string) =>
  at.page.getByRole("listitem").filter({ has: at.page.getByRole("checkbox", { name: `Connect ${organization}`, exact: true }) });

async function signIn(account: string) {
  await at.page.goto("/connect/azure-devops");
  await at.field("Organization").fill("contoso");
  await accept(await at.authorize(), account);
  await at.page.getByText("Connected to Azure DevOps").waitFor();
  await at.next("Organizations");
}

test("k_01 k_02 k_03 k_04 k_05 av_05 av_06 xa_03: every organization that the account reaches has its own result, with what to do", async () => {
  await signIn(MEMBER);
  await card("adventure-works").getByText("Can be connected", { exact: true }).waitFor();
  await card("adventure-works").getByRole("button", { name: /checks? passed/i }).click();
  await card("adventure-works").getByText(/^The account (owns|has the rights of Project Collection Administrators in) adventure-works$/).waitFor();
  expect(await card("wingtip").count()).toBe(0);
  const page = at.page.getByRole("link", { name: "Microsoft's page on this" }).first();
  expect(await page.getAttribute("href")).toContain("learn.microsoft.com/azure/devops/organizations/security/change-organization-collection-level-permissions");
  const failed = card("contoso").getByRole("listitem").filter({ hasText: "The account is a member of contoso and not in Project Collection Administrators" });
  await failed.getByText("Fail", { exact: true }).waitFor();
  await failed.getByText(/Add the account to the group Project Collection Administrators/).waitFor();
  // What it sees can be backed up all the same.
  await card("contoso").getByText("Can be connected", { exact: true }).waitFor();
  await card("northwind").getByText("Organization not yet entered by this account: northwind").first().waitFor();
  await card("northwind").getByText(/Sign in with this account at https:\/\/dev\.azure\.com\/northwind once/).first().waitFor();
  await card("tailspin").getByText(/third-party application access via OAuth is off/i).first().waitFor();
  await card("tailspin").getByText(/Organization settings > Policies > Third-party application access via OAuth/).first().waitFor();
  for (const organization of ["northwind", "tailspin"]) await card(organization).getByText("Cannot be connected", { exact: true }).waitFor();
  await at.person.expectAccessible();
  // What cannot be connected holds the wizard up only as long as it is picked.
  await at.page.getByRole("checkbox", { name: "Connect tailspin" }).check();
  await at.page.getByText("You picked something that cannot be connected.").waitFor();
  expect(await at.button("Next").isDisabled()).toBe(true);
  await at.page.getByRole("checkbox", { name: "Connect tailspin" }).uncheck();
  await at.next("Settings");
});

test("sre_13 k_10 k_11: several are connected at once, named, given to somebody, limited in retention, and backed up", async () => {
  const { page, person, world } = at;
  await signIn(MEMBER);
  await card("contoso").getByText("Can be connected", { exact: true }).waitFor();
  await page.getByRole("checkbox", { name: "Connect adventure-works" }).check();
  await at.next("Settings");
  await at.field("Name: adventure-works").fill("contoso");
  await page.getByText("Two connectors would have this name.").first().waitFor();
  expect(await at.button("Next").isDisabled()).toBe(true);
  await at.field("Name: adventure-works").fill("works");
  await page.getByRole("checkbox", { name: "olga" }).check();
  await page.getByRole("radio", { name: /^Limit retention for this connector/ }).check();
  await person.expectAccessible();
  await at.next("Review");
  await page.getByText("works", { exact: true }).waitFor();
  await at.button("Add and back up now").click();
  await page.getByRole("heading", { name: "Connected to Azure DevOps" }).waitFor();
  expect(await page.getByText("The first backup has started.").count()).toBe(2);
  await person.expectAccessible();
  const found = await at.connectors();
  expect(found.map(({ name, organization }) => [name, organization]).toSorted()).toEqual([
    ["contoso", "contoso"],
    ["works", "adventure-works"],
  ]);
  // One sign-in, kept once.
  expect(new Set(found.map(({ credential }) => credential)).size).toBe(1);
  const { items } = await world.get<{ items: { name: string; connectors?: string[] }[] }>("/people", at.token);
  expect(items.find(({ name }) => name === "olga")?.connectors?.toSorted()).toEqual(["contoso", "works"]);
  await page.getByRole("link", { name: "Watch it" }).first().click();
  await at.succeeded();
});

test("k_02: what a connector misses is told as what it is, where each kind of data can be read", async () => {
  const { page, person } = at;
  await at.connectAccount("contoso", MEMBER);
  await person.open("/connectors/contoso?tab=checks");
  await at.button("Run checks").click();
  await page.getByText("One permission is missing: not everything can be backed up.").waitFor();
  const failed = page.getByRole("listitem").filter({ hasText: "The account is a member of contoso and not in Project Collection Administrators" });
  await failed.getByText("Fail", { exact: true }).waitFor();
});

test("av_07 sre_19: an account that reaches no organization is told so, and what to do", async () => {
  await signIn("mona.kane@fabrikam.example");
  await at.page.getByText("The account reaches no organization", { exact: true }).waitFor();
  await at.page.getByText(/Create an organization or connect it to the tenant first/).waitFor();
  await card("contoso").getByText("Cannot be connected", { exact: true }).waitFor();
  await at.person.expectAccessible();
  // It is made while the wizard waits: nobody signs in twice for it.
  await at.world.simulate("/__organizations", { name: "fabrikam-works", tenant: "fabrikam.onmicrosoft.com" });
  await at.button("Check again").click();
  await card("fabrikam-works").getByText("Can be connected", { exact: true }).waitFor();
  expect(await at.page.getByText("The account reaches no organization", { exact: true }).count()).toBe(0);
});
