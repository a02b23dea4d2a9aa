const natural = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Kinds that people know by numbers; all others they know by names. */
export const NUMBERED: ReadonlySet<string> = new Set(["work-item"]);

interface Named {
  kind: string;
  id: string;
  name: string;
}

/** Items as people look for them: 9 before 10. The server's own order is that of ids as texts, in which it can begin anywhere in a million. */
export function inOrder<Item extends Named>(items: Item[]): Item[] {
  const key = ({ kind, id, name }: Named) => (NUMBERED.has(kind) ? id : name || id);
  return items.toSorted((one, other) => natural.compare(key(one), key(other)) || natural.compare(one.id, other.id));
}
