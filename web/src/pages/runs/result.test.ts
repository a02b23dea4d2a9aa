import { expect, test } from "vitest";
import { forgotten, plain, told } from "./result";

test("results are told in people's units, whatever a newer server adds", () => {
  const result = {
    dry_run: true,
    bytes_freed: 1_500_000,
    packs_removed: 12_345,
    read_percent: 10,
    seconds: 65,
    waited_seconds: 5,
    reason: "",
    suspicions: ["a", "b"],
    nothing: [],
    index: { bytes: 2000, gone: null },
  };
  expect(told(result)).toEqual([
    { key: "dry_run", value: "yes" },
    { key: "bytes_freed", value: "1.5 MB" },
    { key: "packs_removed", value: "12,345" },
    { key: "read_percent", value: "10%" },
    { key: "seconds", value: "1 min 05 s" },
    { key: "waited_seconds", value: "5 s" },
    { key: "suspicions", value: "2" },
    { key: "index_bytes", value: "2 KB" },
  ]);
  expect([told(null), told("x"), told(undefined)]).toEqual([[], [], []]);
  expect(plain("packs_removed")).toBe("Packs removed");
});

test("what retention dropped after a run is named one by one", () => {
  const gone = [{ id: "aa", time: "2026-11-18T08:00:00Z" }, { id: "bb" }];
  expect(forgotten({ result: { forgotten: [...gone, "cc", null] } })).toEqual(gone);
  for (const result of [{ full: true }, null, { forgotten: 3 }]) expect(forgotten({ result })).toEqual([]);
});
