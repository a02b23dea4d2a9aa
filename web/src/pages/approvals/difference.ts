/** A member that differs between two documents; absent on one side where it has none. */
export interface Difference {
  path: string;
  before?: Value;
  after?: Value;
}

/** Lists are values of their own: their order counts. */
export type Value = string | number | boolean | unknown[];

/** `{a: {b: 1}}` as `a.b` → `1`; an empty list is nothing. */
function flat(value: unknown, path = ""): [string, Value][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, member]) => flat(member, path === "" ? name : `${path}.${name}`));
  }
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  return [[path, value as Value]];
}

const isSame = (one: Value | undefined, other: Value | undefined) => JSON.stringify(one) === JSON.stringify(other);

/** What differs, in the order of the first document and then of the second. */
export function differences(before: unknown, after: unknown): Difference[] {
  const [old, now] = [new Map(flat(before)), new Map(flat(after))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => !isSame(old.get(path), now.get(path)))
    .map((path) => {
      const [was, is] = [old.get(path), now.get(path)];
      return { path, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) };
    });
}
