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

export interface Run {
  id: string;
  kind: string;
  state: string;
  snapshot: string | null;
}

/** Waits until a run ended. */
export async function ended(world: World, token: string, id: string): Promise<Run> {
  for (;;) {
    const run = await world.get<Run>(`/runs/${id}`, token);
    if (!["queued", "running"].includes(run.state)) return run;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Queues a backup and waits until it ended. */
export async function backUp(world: World, token: string, connector: string): Promise<Run> {
  const authorization = { authorization: `Bearer ${token}` };
  const queued = (await (await world.post("/backups", { connector }, authorization)).json()) as Run;
  return ended(world, token, queued.id);
}

/** The snapshot of a backup that has to make one. */
export async function snapshotOf(world: World, token: string, connector: string): Promise<string> {
  const { id, state, snapshot } = await backUp(world, token, connector);
  if (snapshot === null) throw new Error(`run ${id} ended ${state} without a snapshot`);
  return snapshot;
}

interface Options {
  seed?: string;
  workItems?: number;
  /** All snapshots stay: the policy of a new server keeps one of a day. */
  keepAll?: boolean;
  /** Backups that are made. */
  backups?: number;
}

export async function protect({ keepAll = false, backups = 2, ...options }: Options = {}): Promise<Protected> {
  const world = await World.start({ seed: "contoso", pages: false, ...options });
  const token = await world.setUp();
  const connector = "contoso";
  await world.connect(token, connector);
  if (keepAll) {
    const policy = { name: "keeps all", connectors: [connector], schedule: { when: { every: "manual" } } };
    await world.post("/policies", policy, { authorization: `Bearer ${token}` });
  }
  const snapshots: string[] = [];
  for (let count = 0; count < backups; count += 1) snapshots.push(await snapshotOf(world, token, connector));
  return { world, token, connector, snapshots };
}
