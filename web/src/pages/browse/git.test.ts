import { expect, test } from "vitest";
import { filesOfPatch, refName, unquoted } from "./git";

const PATCH = `diff --git a/src/main.rs b/src/main.rs
index 1..2 100644
--- a/src/main.rs
+++ b/src/main.rs
@@ -1,2 +1,2 @@ fn main
 same
--- not a header
+++ nor this
\\ No newline at end of file
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git "a/gr\\303\\266\\303\\237e.txt" "b/gr\\303\\266\\303\\237e.txt"
deleted file mode 100644
--- "a/gr\\303\\266\\303\\237e.txt"
+++ /dev/null
@@ -1 +0,0 @@
-gone
diff --git a/logo.png b/logo.png
index 1..2 100644
Binary files a/logo.png and b/logo.png differ
`;

test("a patch is told file by file, and what looks like a header within a file is a line of it", () => {
  const files = filesOfPatch(PATCH);
  expect(files.map(({ path }) => path)).toEqual(["src/main.rs", "new name", "größe.txt", "logo.png"]);
  expect(files[0]?.lines).toEqual([
    { op: "place", text: "@@ -1,2 +1,2 @@ fn main" },
    { op: "same", text: "same" },
    { op: "removed", text: "-- not a header" },
    { op: "added", text: "++ nor this" },
    { op: "note", text: "No newline at end of file" },
  ]);
  expect(files[3]?.lines[0]?.op).toBe("note");
});

test("a patch that was cut in the middle is told as far as it goes", () => {
  expect(filesOfPatch(PATCH.slice(0, 130))).toHaveLength(1);
  expect(filesOfPatch("")).toEqual([]);
});

test("names are read as git quotes them", () => {
  expect(unquoted('"a\\tb\\"c"')).toBe('a\tb"c');
  expect(unquoted("plain")).toBe("plain");
});

test("refs are branches, tags or others", () => {
  expect([refName("refs/heads/feature/x"), refName("refs/tags/v1"), refName("refs/pull/1/merge")]).toEqual([
    { type: "branch", name: "feature/x" },
    { type: "tag", name: "v1" },
    { type: "other", name: "refs/pull/1/merge" },
  ]);
});
