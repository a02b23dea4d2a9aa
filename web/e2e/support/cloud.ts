/** What an administrator of the tenant has done before anybody connects it. */
export interface Prepared {
  /** The client id of the machine's user-assigned identity. */
  identity: string;
  /** The app that people of Microsoft 365 sign in through: it asks for what a backup reads. */
  registrator: string;
}

const GRAPH = "00000003-0000-0000-c000-000000000000";
const DIRECTORY = ["User.Read.All", "Group.Read.All", "Sites.Read.All", "Organization.Read.All"];

/** `POST` to the simulator's own addresses: `/__entra/settings`, `/__access` … */
export async function simulate(url: string, path: string, body: unknown, method = "POST"): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: method === "GET" ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : await response.json();
}

export async function prepare(url: string): Promise<Prepared> {
  // Nobody has to wait long for a device code.
  await simulate(url, "/__entra/settings", { interval: 1 });
  const app = { name: "Keepward Registrator", publicClient: true, multiTenant: true, scopes: DIRECTORY.map((scope) => `${GRAPH}/${scope}`) };
  const { clientId } = (await simulate(url, "/__entra/apps", app)) as { clientId: string };
  const { machine } = (await simulate(url, "/__entra", undefined, "GET")) as { machine: { assigned: { clientId: string }[] } };
  return { identity: machine.assigned[0]?.clientId ?? "", registrator: clientId };
}
