import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Person } from "./person";
import { ended, protect, type Protected, type Run } from "./protected";

/** An item as the interface lists it. */
export interface Item {
  kind: string;
  id: string;
  scope: string;
  name: string;
  path: string;
}

/** An administrator in front of the console of a server that protects something. */
export class Keeper {
  made!: Protected;
  person!: Person;
  page!: Page;

  get world() {
    return this.made.world;
  }

  get newest(): string {
    const snapshot = this.made.snapshots.at(-1);
    if (snapshot === undefined) throw new Error("nothing was backed up");
    return snapshot;
  }

  button(name: string | RegExp, within: Locator | Page = this.page): Locator {
    return within.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** The dialog that is open, whether it asks or takes input. */
  get dialog(): Locator {
    return this.page.getByRole("dialog").or(this.page.getByRole("alertdialog")).last();
  }

  async get<Answer>(path: string): Promise<Answer> {
    return this.world.get<Answer>(path, this.made.token);
  }

  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    const response = await this.world.post(path, body, { authorization: `Bearer ${this.made.token}` });
    return (await response.json()) as Answer;
  }

  /** Items of a kind in the newest snapshot. */
  async items(kind: string, query = "limit=200"): Promise<Item[]> {
    return (await this.get<{ items: Item[] }>(`/snapshots/${this.newest}/items?kind=${kind}&${query}`)).items;
  }

  async runs(kind: string): Promise<Run[]> {
    return (await this.get<{ items: Run[] }>(`/runs?kind=${kind}`)).items;
  }

  /** Waits for the end of the run whose page is open. */
  async runEnded(): Promise<Run> {
    await this.page.waitForURL("**/runs/*");
    const id = new URL(this.page.url()).pathname.split("/").at(-1) ?? "";
    return ended(this.world, this.made.token, id);
  }

  /** Selects a row of a table by its name. */
  async select(name: string) {
    await this.page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
  }

  /** From the questions of a restore to its plan, ready to be applied. */
  async plan() {
    await this.button("Make the plan").click();
    await this.page.getByText("Ready to apply", { exact: true }).waitFor();
  }

  /** Applies the plan whose page is open; `typed` where something there is replaced or removed. */
  async apply(typed?: string) {
    await this.button("Apply…").click();
    const apply = this.button("Apply", this.dialog);
    if (typed !== undefined) await this.dialog.getByLabel(`Type “${typed}” to continue`).fill(typed);
    await apply.click();
    await this.applied();
  }

  /** Waits until the plan whose page is open was applied whole; says what was not, if it was not. */
  async applied() {
    await this.page.getByText(/^(Applied|Applied with issues|Failed)$/).first().waitFor({ timeout: 40_000 });
    const id = new URL(this.page.url()).pathname.split("/").at(-1) ?? "";
    const { items } = await this.get<{ items: Record<"kind" | "name" | "action" | "state" | "reason" | "differences", string>[] }>(`/restore-plans/${id}/steps?limit=200`);
    const undone = items.filter(({ state, differences }) => state === "waiting" || state === "failed" || differences.length > 0);
    expect(undone.map(({ kind, name, action, state, reason, differences }) => [`${action} ${kind} ${name}: ${state}`, reason, differences])).toEqual([]);
    const plan = await this.get<{ state: string; apply_run: string }>(`/restore-plans/${id}`);
    const issues = await this.get<{ items: { message: string }[] }>(`/runs/${plan.apply_run}/issues`);
    expect(issues.items.map(({ message }) => message)).toEqual([]);
    expect(plan.state).toBe("applied");
  }

  /** A short message at the edge of the page. */
  async told(words: string | RegExp) {
    await this.page.getByText(words).first().waitFor();
  }

  /** What “Show as CLI or curl” shows in a part of the page. */
  async shownAs(part: Locator | Page = this.page): Promise<{ cli: string; curl: string }> {
    await this.button("Show as CLI or curl", part).click();
    const shown = this.page.getByRole("dialog", { name: "The same outside the console" });
    const texts = await shown.locator("pre").allTextContents();
    await this.page.keyboard.press("Escape");
    await shown.waitFor({ state: "detached" });
    return { cli: texts.find((text) => text.startsWith("keepward ")) ?? "", curl: texts.find((text) => text.startsWith("curl ")) ?? "" };
  }

  /** Does in a terminal what the console showed; `files` beside the token. */
  async type(command: string, files: Record<string, string> = {}): Promise<string> {
    return this.world.shell(command, { token: this.made.token, ...files });
  }
}

/** A protected server for the tests of a file, and for each of them a browser in which the administrator has signed in. */
export function keeper(options: Parameters<typeof protect>[0] = {}): Keeper {
  const made = new Keeper();
  beforeAll(async () => {
    made.made = await protect(options);
  });
  afterAll(() => made.made.world.stop());
  beforeEach(async () => {
    made.person = await Person.arrive(made.world);
    made.page = made.person.page;
    await made.person.signIn();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await made.person.tell(task.name);
    await made.person.leave();
  });
  return made;
}
