import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { singly } from "./write";

const SOURCES = join(import.meta.dirname, "..");

test("the same wish is done once while it is under way, another one beside it, and both again afterwards", async () => {
  const done: string[] = [];
  const waiting: (() => void)[] = [];
  const write = singly((what: { name: string }) => {
    done.push(what.name);
    return new Promise<void>((settle) => waiting.push(settle));
  });
  write({ name: "one" });
  write({ name: "one" });
  write({ name: "other" });
  expect(done).toEqual(["one", "other"]);
  for (const settle of waiting.splice(0)) settle();
  await Promise.resolve();
  await Promise.resolve();
  write({ name: "one" });
  expect(done).toEqual(["one", "other", "one"]);
});

test("what failed can be asked for again", async () => {
  let asked = 0;
  const write = singly(() => {
    asked += 1;
    return Promise.reject(new Error("away"));
  });
  write();
  await new Promise((settle) => setTimeout(settle));
  write();
  expect(asked).toBe(2);
});

/** Every source of the console, by its path. */
function sources(): [path: string, text: string][] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path) && !path.includes(".test."));
  return files.map((path) => [path, readFileSync(join(SOURCES, path), "utf8")]);
}

test("every write of the console is made by the one hook that makes two clicks one", () => {
  const around = sources().filter(([path, text]) => path !== join("api", "write.ts") && /\buseMutation\b[^;]*from "@tanstack\/react-query"/.test(text));
  expect(around.map(([path]) => path)).toEqual([]);
});

test("a page that opens after a write is awaited, so that the button stays at rest until then", () => {
  const loose = sources().filter(([, text]) => /onSuccess: (?:async )?\([^)]*\) => (?:void navigate|\{(?:(?!\n {4}\},?\n)[^])*?void navigate)/.test(text));
  expect(loose.map(([path]) => path)).toEqual([]);
});

test("no effect answers with what the browser answers: React would take it for what ends the effect", () => {
  const answering = sources().filter(([, text]) => /\buseEffect\(\(\) => [^{\s]/.test(text));
  expect(answering.map(([path]) => path)).toEqual([]);
});
