import type { World } from "./world";

interface Repository {
  id: string;
  name: string;
  projectName: string | null;
  isDeleted: boolean;
  isHidden: boolean;
  refs: Record<string, string>;
}

/** What the simulator holds of an organization. */
export interface Organization {
  people: { displayName: string; uniqueName: string }[];
  projects: { id: string; name: string }[];
  teams: { project: string | null; name: string }[];
  repositories: Repository[];
}

export async function stateOf(world: World, organization = world.simulator.organization): Promise<Organization> {
  return (await world.simulate(`/__state?organization=${organization}`, undefined, "GET")) as Organization;
}

/** A live repository; `undefined` for one that is gone, also into the recycle bin. */
export function repositoryOf({ repositories }: Organization, project: string, name: string): Repository | undefined {
  return repositories.find((one) => one.projectName === project && one.name === name && !one.isDeleted);
}

/** The refs that people make; those of pull requests are the service's own. */
export function refsOf(repository: Repository | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(repository?.refs ?? {}).filter(([name]) => !name.startsWith("refs/pull/")));
}

/** Another organization of the same tenant, and the token that opens it. */
export async function addOrganization(world: World, name: string): Promise<{ organization: string; pat: string }> {
  const { pat } = (await world.simulate("/__organizations", { name })) as { pat: string };
  return { organization: name, pat };
}

/** A work item's fields, as Azure DevOps tells them. */
export async function fieldsOf(world: World, id: string): Promise<Record<string, unknown>> {
  const answer = await world.askService("GET", `_apis/wit/workitems/${id}?api-version=7.1`);
  return ((await answer.json()) as { fields: Record<string, unknown> }).fields;
}

export async function changeField(world: World, id: string, field: string, value: string) {
  await world.askService("PATCH", `_apis/wit/workitems/${id}?api-version=7.1`, [{ op: "add", path: `/fields/${field}`, value }]);
}
