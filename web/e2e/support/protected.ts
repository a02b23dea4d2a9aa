import { World } from "./world";

/** A server that protects the simulator's organization: a connector, a backup, changes, another backup. */
export interface Protected {
  world: World;
  /** Of an administrator. */
  token: string;
  connector: string;
  /** The oldest first. */
  snapshots: string[];
}

interface Run {
  id: string;
  state: string;
  snapshot: string | null;
}

/** Queues a backup and waits until it ended. */
export async function backUp(world: World, token: string, connector: string): Promise<Run> {
  const authorization = { authorization: `Bearer ${token}` };
  const queued = (await (await world.post("/backups", { connector }, authorization)).json()) as Run;
  for (;;) {
    const run = await world.get<Run>(`/runs/${queued.id}`, token);
    if (!["queued", "running"].includes(run.state)) return run;
    await new Promise((done) => setTimeout(done, 200));
  }
}

export async function protect(options: { seed?: string; workItems?: number } = {}): Promise<Protected> {
  const world = await World.start({ seed: "contoso", pages: false, ...options });
  const token = await world.setUp();
  const connector = "contoso";
  await world.connect(token, connector);
  const first = await backUp(world, token, connector);
  const second = await backUp(world, token, connector);
  const snapshots = [first, second].map(({ id, state, snapshot }) => {
    if (snapshot === null) throw new Error(`run ${id} ended ${state} without a snapshot`);
    return snapshot;
  });
  return { world, token, connector, snapshots };
}
