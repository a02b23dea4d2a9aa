import { expect, test } from "vitest";
import { dropped } from "./dropped";

const decision = (snapshot: string, keep: boolean) => ({ snapshot, keep, reasons: [] });

test("what would be forgotten is told oldest first, what is not known before it", () => {
  const snapshots = [decision("new", false), decision("kept", true), decision("old", false), decision("unknown", false)];
  const known = [
    { id: "new", time: "2026-03-01T00:00:00Z" },
    { id: "kept", time: "2026-01-01T00:00:00Z" },
    { id: "old", time: "2026-02-01T00:00:00Z" },
  ];
  expect(dropped({ snapshots }, known)).toEqual([
    { id: "unknown", time: null },
    { id: "old", time: "2026-02-01T00:00:00Z" },
    { id: "new", time: "2026-03-01T00:00:00Z" },
  ]);
});
