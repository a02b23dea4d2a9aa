import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.e2e.ts"],
    // One browser and one server at a time: a person's machine is not faster either.
    fileParallelism: false,
    testTimeout: 45_000,
    hookTimeout: 120_000,
    reporters: ["default", "./support/closing-line.ts"],
    globalSetup: "./support/browser-setup.ts",
  },
});
