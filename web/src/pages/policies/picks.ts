import type { Schemas } from "../../api/client";

type Item = Pick<Schemas["ItemView"], "id" | "name">;

/** What a policy calls items that are picked: by name, and by id where several have one name, since the name would be all of them. */
export function picksOf(items: Item[]): { pick: string; label: string }[] {
  const times = new Map<string, number>();
  for (const { name } of items) times.set(name.toLowerCase(), (times.get(name.toLowerCase()) ?? 0) + 1);
  return items.map(({ id, name }) => (times.get(name.toLowerCase()) === 1 ? { pick: name, label: name } : { pick: id, label: `${name} · ${id}` }));
}
