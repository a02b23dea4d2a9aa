import { expect, test } from "vitest";
import { drawn } from "./qr";

test("dark squares side by side are one piece, and an edge is around all", () => {
  expect(drawn(["1101", "0000", "0111", "1000"])).toEqual({
    side: 12,
    path: "M4 4h2v1h-2zM7 4h1v1h-1zM5 6h3v1h-3zM4 7h1v1h-1z",
  });
});
