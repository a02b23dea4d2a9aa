import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Person } from "./person";
import { World } from "./world";

/** A connector as the interface lists it. */
export interface Connected {
  name: string;
  organization: string;
  method: string;
  credential: string;
  status: { state: string };
}

/** An administrator in front of the console of a server, who connects things to it. */
export class Desk {
  world!: World;
  /** Of an administrator, for what is looked up or arranged beside the browser. */
  token!: string;
  person!: Person;
  page!: Page;

  get authorization() {
    return { authorization: `Bearer ${this.token}` };
  }

  async connectors(): Promise<Connected[]> {
    return (await this.world.get<{ items: Connected[] }>("/connectors", this.token)).items;
  }

  /** As whom the one connector signs in. */
  async account(): Promise<string> {
    const [only] = await this.connectors();
    const kept = await this.world.get<{ account: string }>(`/credentials/${encodeURIComponent(only?.credential ?? "")}`, this.token);
    return kept.account;
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** A field by its whole label, which ends with a star where the field is required. */
  field(label: string): Locator {
    return this.page.getByLabel(new RegExp(`^${escaped(label)}\\s*\\*?$`));
  }

  async choose(dropdown: string, option: string | RegExp) {
    await this.page.getByRole("combobox", { name: dropdown, exact: true }).click();
    await this.page.getByRole("option", { name: option }).click();
  }

  /** From the list of connectors to the form of an organization. */
  async toOrganization(organization: string) {
    await this.page.goto("/connectors");
    await this.button("Add connector").first().click();
    await this.button("Connect Azure DevOps").click();
    await this.field("Organization").fill(organization);
  }

  /** Chooses the way to sign in, also one that is not among the two shown first. */
  async method(title: string) {
    const radio = this.page.getByRole("radio", { name: new RegExp(`^${escaped(title)}`) });
    const more = this.button("More ways to connect");
    await radio.or(more).first().waitFor();
    if (!(await radio.isVisible())) await more.click();
    await radio.check();
  }

  /** “Next”, until the wizard shows this step. */
  async next(step: string) {
    await this.button("Next").click();
    await this.at(step);
  }

  async at(step: string) {
    await this.page.locator('[aria-current="step"]', { hasText: step }).waitFor();
  }

  /** Through the steps after the first one, to the last look; nothing is saved before. */
  async toReview() {
    await this.next("Organizations");
    await this.page.getByText("Can be connected", { exact: true }).waitFor();
    await this.next("Settings");
    await this.next("Review");
  }

  /** Saves what is reviewed, and waits for the success page. */
  async add(done = "Connected to Azure DevOps") {
    await this.button("Add connector").click();
    await this.page.getByRole("heading", { name: done }).waitFor();
    await this.button("Custom policy").waitFor();
  }

  /** From the success page to the end of the first backup. */
  async backUp() {
    await this.button("Run backup").click();
    await this.succeeded();
  }

  async succeeded() {
    await this.page.waitForURL("**/runs/*");
    await this.page.getByRole("status").getByText("Succeeded", { exact: true }).waitFor();
  }

  /** “Authorize”, which opens the sign-in of the simulated Microsoft. */
  async authorize(): Promise<Page> {
    await this.button("Sign in to Azure DevOps").click();
    const authorize = this.page.getByRole("dialog", { name: "Authorize Azure DevOps" }).getByRole("button", { name: "Authorize" });
    const [popup] = await Promise.all([this.page.waitForEvent("popup"), authorize.click()]);
    return popup;
  }

  /** Connects `contoso` by the sign-in of a person, without the wizard. */
  async connectAccount(name = "contoso", person = this.world.simulator.person) {
    const begin = { service: "azure-devops", method: "user", flow: "device-code", organization: "contoso" };
    const begun = await this.world.post("/connect", begin, this.authorization);
    const { id, sign_in } = (await begun.json()) as { id: string; sign_in: { user_code: string } };
    await this.world.simulate("/__entra/devices/approve", { code: sign_in.user_code, person });
    for (let step = ""; step !== "choose"; ) {
      await new Promise((done) => setTimeout(done, 250));
      const polled = await this.world.post(`/connect/${id}/poll`, {}, this.authorization);
      ({ step } = (await polled.json()) as { step: string });
    }
    await this.world.post(`/connect/${id}/add`, { connectors: [{ organization: "contoso", name }] }, this.authorization);
  }
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

/** The account types nothing but its name at the simulated Microsoft, and accepts. */
export async function accept(popup: Page, account: string) {
  await popup.getByLabel("Account").fill(account);
  await popup.getByRole("button", { name: "Accept" }).click();
}

/** A server for the tests of a file, and a browser in which the administrator has signed in; a new window for each test. Afterwards nothing is connected. */
export function desk(options: Parameters<typeof World.start>[0] = {}): Desk {
  const made = new Desk();
  beforeAll(async () => {
    made.world = await World.start(options);
    made.token = await made.world.setUp();
    made.person = await Person.arrive(made.world);
    await made.person.signIn();
  });
  afterAll(async () => {
    await made.person.leave();
    await made.world.stop();
  });
  beforeEach(async () => {
    await made.person.afresh();
    made.page = made.person.page;
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await made.person.tell(task.name);
    expect(made.person.complaints.splice(0)).toEqual([]);
    for (const { name } of await made.connectors()) await made.world.remove(`/connectors/${name}`, made.token);
    // What another connector used for restores outlives its own.
    const kept = await made.world.get<{ items: { name: string }[] }>("/credentials", made.token);
    for (const { name } of kept.items.filter((one) => one.name.startsWith("connector "))) await made.world.remove(`/credentials/${encodeURIComponent(name)}`, made.token);
    const profiles = await made.world.get<{ items: { name: string }[] }>("/app-profiles", made.token);
    // What a credential of the vault still signs in through stays.
    for (const { name } of profiles.items) await made.world.remove(`/app-profiles/${encodeURIComponent(name)}`, made.token).catch(() => undefined);
  });
  return made;
}
