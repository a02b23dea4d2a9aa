import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with `N passed, N failed`. A file that could not be loaded is a failure; what was skipped counts as failed. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    let passed = 0;
    let failed = 0;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      const good = tests.filter((test) => test.result().state === "passed").length;
      passed += good;
      failed += tests.length - good;
      if (tests.length === 0) failed += 1;
    }
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    if (failed > 0 || passed === 0) process.exitCode = 1;
  }
}
