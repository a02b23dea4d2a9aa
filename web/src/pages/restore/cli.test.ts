import { expect, test } from "vitest";
import { commandLine } from "../../components/commandLine";
import { archiveCli, cliOf } from "./cli";

const cli = (select: Parameters<typeof cliOf>[3], conflict = "skip") => cliOf("0123456789abcdef", "main", conflict, select)?.join(" ");

test("a restore is told as the command that plans it", () => {
  expect(cli({ everything: true }, "replace")).toBe("restore plan 01234567 --into main --everything --conflict replace");
  expect(cli({ items: [{ kind: "work-item", item: "7" }, { kind: "work-item", item: "8" }] })).toBe("restore plan 01234567 --into main --kind work-item --id 7 --id 8");
  expect(cli({ missing: true, kinds: ["wiki"] })).toBe("restore plan 01234567 --into main --missing --kind wiki");
  expect(cli({ missing: true, items: [{ kind: "work-item", item: "7" }] })).toBe("restore plan 01234567 --into main --missing --kind work-item --id 7");
  expect(cli({ projects: ["p1"] })).toBe("restore plan 01234567 --into main --project p1");
  expect(cli({ kinds: ["wiki", "team"], projects: ["p1", "p2"] })).toBe(
    "restore plan 01234567 --into main --kind wiki --kind team --project p1 --project p2",
  );
});

test("what no single command can say is not told wrong", () => {
  expect(cli({ items: [{ kind: "work-item", item: "7" }, { kind: "wiki", item: "w" }] })).toBeUndefined();
  expect(cli({ projects: ["p1"], items: [{ kind: "work-item", item: "7" }] })).toBeUndefined();
  expect(cli({ paths: ["a", "b"] })).toBeUndefined();
});

test("the same archive is written by a command", () => {
  const words = archiveCli("0123456789abcdef", { path: ["wikis/7"], project: ["-x"], whole: true }, "contoso.zip");
  expect(commandLine(words)).toBe("keepward export 01234567 wikis/7 --project=-x --whole --zip contoso.zip");
  expect(archiveCli("0123456789abcdef", { path: [""] }, "a.zip")).toEqual(["export", "01234567", "/", "--zip", "a.zip"]);
});
