import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { expect, inject } from "vitest";
import { ADMIN, type World } from "./world";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export type Look = { width?: number; dark?: boolean };

/** Somebody in front of a browser. What the pages complain about is kept in `complaints`. */
export class Person {
  readonly complaints: string[] = [];

  private constructor(
    readonly world: World,
    readonly context: BrowserContext,
    public page: Page,
  ) {
    this.listen();
  }

  private listen() {
    this.page.on("console", (message) => {
      // A refusal of the server is shown on the page; the browser logs it besides.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        this.complaints.push(message.text());
      }
    });
    this.page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  /** Closes every window and opens a new one, in the same browser with the same session. */
  async afresh() {
    const before = this.context.pages();
    this.page = await this.context.newPage();
    this.listen();
    for (const page of before) await page.close();
  }

  static async arrive(world: World, { width = 1440, dark = false }: Look = {}): Promise<Person> {
    const browser = await chromium.connect(inject("browser"));
    const context = await browser.newContext({
      baseURL: world.url,
      viewport: { width, height: width < 600 ? 844 : 900 },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
    });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    return new Person(world, context, await context.newPage());
  }

  /** Signs in by the page. */
  async signIn({ name, password } = ADMIN) {
    await this.page.goto("/sign-in");
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await this.page.getByRole("button", { name: /^Account/ }).waitFor();
  }

  /** Opens a page and waits until nothing loads any more. */
  async open(path: string) {
    await this.page.goto(path);
    await this.settled();
  }

  async settled() {
    await this.page.getByRole("heading", { level: 1 }).first().waitFor();
    await this.page.waitForFunction(() => document.querySelector('[role="progressbar"], .fui-Spinner') === null);
  }

  /** Fails with what axe finds on the page as it is (WCAG 2.1 A and AA). */
  async expectAccessible() {
    // What a dialog hid from screen readers comes back a quarter of a second after it closed.
    await this.page.waitForFunction(
      () => document.querySelector('[aria-modal="true"]') !== null || !document.getElementById("main")?.closest('[aria-hidden="true"]'),
    );
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: typeof import("axe-core") };
      const { violations } = await axe.run(
        // Focus guards of the menus and dialogs: never reached by a person.
        { exclude: [["[data-tabster-dummy]"]] },
        { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] },
      );
      return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`) }));
    });
    expect(found).toEqual([]);
  }

  /** Nothing is wider than the page. */
  async expectFits() {
    const [content, view] = await this.page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth] as const);
    expect(content).toBeLessThanOrEqual(view);
  }

  /** What stands on the page now, for whoever reads why a test failed. */
  async tell(test: string) {
    const shown = await this.page.getByRole("main").ariaSnapshot({ timeout: 1_000 }).catch(String);
    process.stderr.write(`${test}\n${this.page.url()}\n${shown}\n`);
  }

  async leave() {
    await this.context.browser()?.close();
    expect(this.complaints).toEqual([]);
  }
}
