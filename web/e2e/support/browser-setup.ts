import { existsSync } from "node:fs";
import { chromium, type BrowserServer } from "playwright-core";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    browser: string;
    binary: string;
  }
}

let server: BrowserServer | undefined;

/** Starts one Chromium for all tests. */
export async function setup(project: TestProject) {
  const binary = process.env["KEEPWARD_BINARY"];
  if (!binary || !existsSync(binary)) throw new Error("KEEPWARD_BINARY names no program: run `make e2e`");
  server = await chromium.launchServer({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    // Nothing of the browser's own goes out; the sandbox needs rights that containers do not give.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  project.provide("browser", server.wsEndpoint());
  project.provide("binary", binary);
}

export async function teardown() {
  await server?.close();
}
