import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ALONE, arranged, commandLine } from "./commandLine";

test("a value that begins with a hyphen is no option of its own", () => {
  const server = ["--server", "https://k"];
  expect(arranged(["notification", "add", "ops", "--connector", "-x*", "--disabled"])).toEqual(["notification", "add", "ops", "--connector=-x*", "--disabled"]);
  expect(arranged(["alarm", "ack", "key", "--reason", "--all", "--role", "-g2=restorer"])).toEqual(["alarm", "ack", "key", "--reason=--all", "--role=-g2=restorer"]);
  expect(commandLine(["user", "reset-password", "otto", "--password-file", "FILE", "--second-factor-off"], server)).toBe(
    "keepward user reset-password otto --password-file FILE --second-factor-off --server https://k",
  );
  expect(commandLine(["alarm", "ack", "key", "--reason", "- it's known"], server)).toBe("keepward alarm ack key '--reason=- it'\\''s known' --server https://k");
});

test("an option that needs no value takes none from what follows", () => {
  const words = ["credential", "add", "robot", "--managed-identity", "--tenant", "t", "--read-data=5%", "--all-connectors", "--to", "x"];
  expect(arranged(words)).toEqual(words);
  expect(arranged(["connector", "sync", "--sync-new=", "--name", "-x"])).toEqual(["connector", "sync", "--sync-new=", "--name=-x"]);
});

test("a name that begins with a hyphen stands behind all options", () => {
  expect(arranged(["policy", "edit", "-night", "--connector", "-x"], ["--server", "s"])).toEqual(["policy", "edit", "--connector=-x", "--server", "s", "--", "-night"]);
  expect(arranged(["snapshot", "search", "--kind", "wiki", "--", "--page"], ["--server", "s"])).toEqual(["snapshot", "search", "--kind", "wiki", "--server", "s", "--", "--page"]);
  expect(arranged(["connector", "rename", "-a", "b"])).toEqual(["connector", "rename", "--", "-a", "b"]);
});

test("which options stand alone is as the reference of the commands says", () => {
  const told = [...readFileSync("../docs/reference/cli.md", "utf8").matchAll(/^ {2,6}(?:-\w, )?(--[a-z-]+)((?: <| \[|\[).*)?$/gm)];
  const valued = new Set(told.flatMap(([, option = "", more]) => (more?.startsWith(" <") ? [option] : [])));
  const alone = new Set(told.flatMap(([, option = ""]) => (valued.has(option) ? [] : [option])));
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => /(?<!\.test)\.tsx?$/.test(file) && !file.endsWith("commandLine.ts"));
  const used = new Set(files.flatMap((file) => readFileSync(`src/${file}`, "utf8").match(/(?<=["`])--[a-z-]+(?=["`=])/g) ?? []));
  expect([...ALONE].toSorted()).toEqual([...alone].filter((option) => used.has(option)).toSorted());
});
