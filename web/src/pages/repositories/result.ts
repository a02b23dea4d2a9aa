/** What a prune freed, or would free. */
export interface Freed {
  bytes_before: number;
  bytes_freed: number;
  packs_removed: number;
  packs_repacked: number;
  packs_locked: number;
}

function number(result: Record<string, unknown>, member: string): number {
  const value = result[member];
  return typeof value === "number" ? value : 0;
}

const members = (result: unknown): Record<string, unknown> | undefined =>
  typeof result === "object" && result !== null ? { ...result } : undefined;

/** The result of a run of kind `prune`; absent while there is none. */
export function freed(result: unknown): Freed | undefined {
  const of = members(result);
  if (of === undefined || typeof of["bytes_freed"] !== "number") return undefined;
  return {
    bytes_before: number(of, "bytes_before"),
    bytes_freed: number(of, "bytes_freed"),
    packs_removed: number(of, "packs_removed"),
    packs_repacked: number(of, "packs_repacked"),
    packs_locked: number(of, "packs_locked"),
  };
}
