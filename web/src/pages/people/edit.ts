import type { Schemas } from "../../api/client";

type Person = Pick<Schemas["Person"], "roles" | "connectors">;
type Edit = Pick<Schemas["EditPerson"], "roles" | "connectors">;

const same = (one: readonly string[] | null, other: readonly string[] | null) =>
  JSON.stringify(one?.toSorted()) === JSON.stringify(other?.toSorted());

/** Only what was changed: what a form repeats could bring back what somebody else has taken away. */
export function editOf(before: Person, roles: string[], connectors: string[] | null): Edit {
  return {
    ...(!same(before.roles, roles) && { roles }),
    ...(!same(before.connectors ?? null, connectors) && { connectors }),
  };
}

/** The same on the command line. */
export function cliOf(name: string, { roles, connectors }: Edit): string[] {
  return [
    "user",
    "edit",
    name,
    ...(roles ?? []).flatMap((role) => ["--role", role]),
    ...(connectors ?? []).flatMap((connector) => ["--connector", connector]),
    ...(connectors === null ? ["--all-connectors"] : []),
  ];
}
