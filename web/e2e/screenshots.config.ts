import { mergeConfig } from "vitest/config";
import tests from "./vitest.config";

export default mergeConfig({ ...tests, test: { ...tests.test, include: [] } }, { test: { include: ["screenshots.ts"] } });
