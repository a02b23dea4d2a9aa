import { expect, test } from "vitest";
import { freed } from "./result";

test("a run without a result has freed nothing", () => {
  for (const result of [undefined, null, "x", {}]) expect(freed(result)).toBeUndefined();
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
