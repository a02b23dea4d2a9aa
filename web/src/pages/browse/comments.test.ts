import { expect, test } from "vitest";
import { commentsOf } from "./comments";

const ada = { displayName: "Ada", uniqueName: "ada@contoso.com" };

test("comments come in the order in which they were written, each as it was last", () => {
  const comments = commentsOf([
    { id: 2, version: 1, text: "second", createdBy: ada, createdDate: "2026-01-02", modifiedDate: "2026-01-02", format: "markdown" },
    { id: 1, version: 1, text: "frist", createdDate: "2026-01-01", modifiedDate: "2026-01-01" },
    { id: 1, version: 2, text: "first", createdDate: "2026-01-01", modifiedDate: "2026-01-03", reactions: [{ type: "like", count: 2 }] },
  ]);
  expect(comments).toEqual([
    { id: "1", text: "first", format: "html", deleted: false, at: "2026-01-01", edited: "2026-01-03", reactions: [{ type: "like", count: 2 }] },
    { id: "2", text: "second", format: "markdown", deleted: false, by: "Ada", at: "2026-01-02", reactions: [] },
  ]);
});

test("a comment without anything known is still there", () => {
  expect(commentsOf([{}])).toEqual([{ id: "", text: "", format: "html", deleted: false, reactions: [] }]);
});
