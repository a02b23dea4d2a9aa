import type { Schemas } from "../../api/client";
import { matches } from "../policies/covers";

type Policy = Schemas["Policy"];
type Worker = Schemas["WorkerView"];
type Repository = Schemas["RepositoryView"];

/** The policies that back a connector up: those that name it; otherwise those that are for all that are left. */
export function policiesFor(policies: readonly Policy[], connector: string): Policy[] {
  const on = policies.filter(({ enabled }) => enabled !== false);
  const named = on.filter(({ connectors }) => connectors?.some((pattern) => matches(pattern, connector)));
  return named.length > 0 ? named : on.filter(({ connectors }) => (connectors?.length ?? 0) === 0);
}

/** A folder is where its machine is; the clouds are everywhere. */
export function isFolder(location: string): boolean {
  return !/^(s3|azure|gs):\/\//.test(location);
}

/** XA-13: the repositories that backups go to and that this worker does not reach. */
export function unreached(
  worker: Worker | undefined,
  policies: readonly Policy[],
  repositories: readonly Repository[],
): Repository[] {
  if (!worker || worker.own) return [];
  const names = new Set(policies.map(({ repository }) => repository ?? repositories.find((one) => one.default)?.name));
  return repositories.filter(
    ({ name, location }) => names.has(name) && isFolder(location) && !worker.storages.includes(name),
  );
}
