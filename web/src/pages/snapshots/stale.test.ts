import { expect, test } from "vitest";
import { isStale, staleKinds } from "./stale";

test("what could not be read is told by kind, with the names of its projects", () => {
  const parts = [
    { kind: "team", scope: "1", scope_name: "Shop", since: "2026-11-20T01:00:00Z" },
    { kind: "team", scope: "2", since: "2026-11-19T01:00:00Z" },
    { kind: "wiki", scope: "", since: "2026-11-21T01:00:00Z" },
  ];
  expect(staleKinds({ stale_parts: parts })).toEqual([
    { kind: "team", scopes: ["Shop", "2"], since: "2026-11-19T01:00:00Z" },
    { kind: "wiki", scopes: [], since: "2026-11-21T01:00:00Z" },
  ]);
});

test("a snapshot with single old items is marked, too", () => {
  expect(isStale({ stale_parts: [], stale_items: 0 })).toBe(false);
  expect(isStale({ stale_parts: [], stale_items: 2 })).toBe(true);
});
