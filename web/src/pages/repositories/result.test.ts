import { expect, test } from "vitest";
import { damage, freed } from "./result";

test("a run without a result has freed nothing and found nothing", () => {
  for (const result of [undefined, null, "x", {}]) expect(freed(result)).toBeUndefined();
  expect(damage(undefined)).toBeUndefined();
});

test("what nobody could read counts as damage, notes do not", () => {
  expect(damage({ damage: 0, notes: 4 })).toBe(0);
  expect(damage({ damage: 1, doubts: 2 })).toBe(3);
  expect(damage({ damage: ["index/a", "data/b"] })).toBe(2);
});

test("members that an older server did not tell are none", () => {
  expect(freed({ dry_run: true, bytes_before: 9, bytes_freed: 4 })).toEqual({
    bytes_before: 9,
    bytes_freed: 4,
    packs_removed: 0,
    packs_repacked: 0,
    packs_locked: 0,
  });
});
