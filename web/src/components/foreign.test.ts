import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cleansed } from "./foreign";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser: Browser;
let page: Page;
let asked: string[] = [];

// What a browser makes of hostile text only a browser can say.
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is not there: scripts/test-packages chromium`);
  const entry = new URL("./foreign.ts", import.meta.url).pathname;
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, lib: { entry, formats: ["iife"], name: "foreign" } },
  });
  const output = Array.isArray(built) ? built[0] : built;
  if (!output || !("output" in output)) throw new Error("nothing was built");
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  page = await browser.newPage();
  await page.route("**", (route) => {
    asked.push(route.request().url());
    return route.fulfill({ contentType: "text/html", body: "<!doctype html><main></main>" });
  });
  await page.goto("http://console.test/");
  await page.addScriptTag({ content: output.output[0].code });
}, 60_000);

afterAll(async () => browser?.close());

/** Cleanses, puts the result into the page, and looks whether anything ran or was asked for. */
async function shown(html: string): Promise<Cleansed & { ran: boolean; asked: string[] }> {
  asked = [];
  const result = await page.evaluate(async (text) => {
    const scope = window as unknown as { ran: boolean; foreign: { cleanse: (text: string, places: object) => Cleansed } };
    scope.ran = false;
    const cleansed = scope.foreign.cleanse(text, {
      image: (source: string) => (source.includes("/_apis/wit/attachments/") ? "/api/v1/snapshots/s/content?path=a" : undefined),
      link: (address: string) => (address.endsWith("/_workitems/edit/7") ? "/snapshots/s/item/work-item/7" : undefined),
    });
    const main = document.querySelector("main") as HTMLElement;
    main.innerHTML = cleansed.html;
    for (const element of main.querySelectorAll<HTMLElement>("*")) {
      element.dispatchEvent(new Event("error"));
      element.dispatchEvent(new Event("load"));
      element.dispatchEvent(new MouseEvent("mouseover"));
    }
    await new Promise((done) => requestAnimationFrame(done));
    return { ...cleansed, ran: scope.ran };
  }, html);
  return { ...result, asked };
}

test("scripts are left out, however they are hidden", async () => {
  const { html, ran } = await shown(
    "<p>one<script>ran=true</script></p><scr<script>ipt>ran=true</script><iframe srcdoc='<script>parent.ran=true</script>'></iframe><template><script>ran=true</script></template>two",
  );
  expect(ran).toBe(false);
  expect(html).not.toMatch(/script|iframe|template/);
  expect(html).toContain("one");
});

test("event handlers are left out", async () => {
  const { html, ran } = await shown("<img src=x onerror='ran=true'><div onmouseover=ran=true>a</div><details ontoggle=ran=true open>b</details><body onload=ran=true>");
  expect(ran).toBe(false);
  expect(html).not.toMatch(/\son\w+=/);
});

test("links lead into the web or nowhere, and say where", async () => {
  const { html } = await shown(
    `<a href="javascript:ran=true">a</a><a href=" java\nscript:ran=true">b</a><a href="data:text/html,x">c</a><a href="//evil.test/x">d</a><a href="/api/v1/session">e</a><a href="https://me:secret@evil.test/">f</a>`,
  );
  expect(html).toBe("<a>a</a><a>b</a><a>c</a><a>d</a><a>e</a><a>f</a>");
  const good = await shown(`<a href="https://evil.test/x" target="_self">https://bank.test</a>`);
  expect(good.html).toContain('rel="noreferrer noopener"');
  expect(good.html).toContain('target="_blank"');
  expect(good.html).toContain('data-host="evil.test"');
});

test("drawings and formulas are left out", async () => {
  const { html, ran } = await shown(
    "<svg onload=ran=true><circle r=9></circle><use href='https://evil.test/x.svg#a'/></svg><math><mtext><style><img src=x onerror=ran=true></style></mtext></math><p>text</p>",
  );
  expect(ran).toBe(false);
  expect(html).not.toMatch(/svg|circle|math|style/);
  expect(html).toContain("<p>text</p>");
});

test("styles change nothing outside and inside", async () => {
  const { html } = await shown(
    `<style>body{display:none}</style><link rel=stylesheet href="https://evil.test/x.css"><div style="position:fixed;inset:0;background:url(https://evil.test/p)" class="fui-Button" id="main">text</div>`,
  );
  expect(html).toBe("<div>text</div>");
});

test("images from elsewhere are not loaded, and are told", async () => {
  const { html, blocked, asked: requests } = await shown(
    `<img src="https://tracker.test/p.png"><img srcset="https://tracker.test/2.png 2x"><video poster="https://tracker.test/v.png"></video><input type=image src="https://tracker.test/i.png"><table background="https://tracker.test/t.png"></table>`,
  );
  expect(requests).toEqual([]);
  expect(blocked).toContain("tracker.test");
  expect(html).not.toContain("tracker.test");
});

test("stored images and things of the snapshot are shown in their places", async () => {
  const { html, asked: requests } = await shown(
    `<img src="https://dev.azure.com/contoso/p/_apis/wit/attachments/1?fileName=a.png"><a href="https://dev.azure.com/contoso/p/_workitems/edit/7">#7</a>`,
  );
  expect(html).toContain('href="/snapshots/s/item/work-item/7" data-inside=""');
  expect(requests.every((url) => url.startsWith("http://console.test/api/v1/snapshots/"))).toBe(true);
});

test("forms and names that scripts would see are left out", async () => {
  const { html } = await shown(`<form action="https://evil.test"><input name=password><button>Sign in</button></form><img name=cookie><a id=location></a>`);
  expect(html).not.toMatch(/form|input|button|name=|id=/);
});

test("foreign text does not mark its links as ours, nor gives things other names than they have", async () => {
  const { html } = await shown('<a href="https://evil.test/" data-inside="" aria-label="Sign in">x</a><p data-tabster="{}" aria-hidden="true">y</p>');
  expect(html).toContain('href="https://evil.test/"');
  expect(html).not.toMatch(/data-(?!host="evil)|aria-/);
});

test("what cannot be seen in a text is told by its code, and nothing that stands there by itself is taken for it", async () => {
  const { html } = await shown('<p title="a\u202Eb">invoice\u202Efdp.exe<b>x\u200By</b></p><p data-unseen="">plain</p>');
  expect(html).toBe(
    '<p title="a&lt;U+202E&gt;b">invoice<span data-unseen="">&lt;U+202E&gt;</span>fdp.exe<b>x<span data-unseen="">&lt;U+200B&gt;</span>y</b></p><p>plain</p>',
  );
});
