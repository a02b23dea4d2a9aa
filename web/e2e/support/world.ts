import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inject } from "vitest";

/** What `keepward simulator --json` prints. */
interface Simulated {
  url: string;
  organization: string;
  pat: string;
  tenant: string;
  client_id: string;
  client_secret: string;
  person: string;
}

export const ADMIN = { name: "ada", password: "correct horse battery staple" };

/** A real server on an empty data directory, whose one cloud is a simulator. */
export class World {
  private constructor(
    readonly url: string,
    readonly setupToken: string,
    readonly simulator: Simulated,
    private readonly folder: string,
    private readonly processes: ChildProcess[],
  ) {}

  static async start({ seed = "small", pages = true, workItems = 60 } = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "keepward-e2e-"));
    const processes: ChildProcess[] = [];
    const scale = seed === "contoso" ? ["--work-items", String(workItems)] : [];
    const simulator = run(processes, ["simulator", "--seed", seed, ...scale, ...(pages ? ["--sign-in-pages"] : [])]);
    const simulated = (await simulator.next((line) => "pat" in line)) as unknown as Simulated;
    await writeFile(join(folder, "keepward.toml"), configuration(simulated));
    const server = run(processes, ["serve", "--data-dir", folder, "--listen", "127.0.0.1:0"]);
    const { url } = await server.next((line) => line["event"] === "listening");
    const { token } = await server.next((line) => line["event"] === "setup");
    return new World(String(url), String(token), simulated, folder, processes);
  }

  /** Makes the first administrator, as the set-up page does. Answers with an API token. */
  async setUp(): Promise<string> {
    const made = await this.post("/setup", { token: this.setupToken, ...ADMIN });
    const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { permissions } = (await made.json()) as { permissions: string[] };
    const token = await this.post("/tokens", { name: "e2e", permissions, days: 1 }, { cookie });
    return ((await token.json()) as { secret: string }).secret;
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.url, ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async get<Answer>(path: string, token: string): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  /** Connects the simulator's organization by its token, without the wizard. */
  async connect(token: string, name: string) {
    const { url, organization, pat } = this.simulator;
    const body = { service: "azure-devops", name, organization, url, identity: { method: "pat", secret: pat } };
    await this.post("/connectors", body, { authorization: `Bearer ${token}` });
  }

  async remove(path: string, token: string) {
    const response = await fetch(`${this.url}/api/v1${path}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`DELETE ${path}: ${response.status} ${await response.text()}`);
  }

  /** Changes how the simulator behaves: `POST /__entra/settings`, `/__access` … */
  async simulate(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.simulator.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : await response.json();
  }

  /** Asks Azure DevOps itself, as somebody with the organization's token. */
  async askService(method: string, path: string): Promise<Response> {
    const { url, organization, pat } = this.simulator;
    const authorization = `Basic ${Buffer.from(`:${pat}`).toString("base64")}`;
    const response = await fetch(`${url}/${organization}/${path}`, { method, headers: { authorization } });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async stop() {
    for (const child of this.processes.reverse()) {
      const ended = once(child, "exit");
      child.kill("SIGINT");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

function configuration({ url, client_id }: Simulated): string {
  return `
[outbound]
allow = ["127.0.0.0/8"]
[clouds.public]
authority = "${url}"
graph = "${url}"
imds = "${url}"
hosts = { dev = "${url}/{organization}", sps = "${url}/{organization}", aex = "${url}/{organization}", app = "${url}", graph = "${url}/v1.0" }
[[apps]]
service = "azure-devops"
client_id = "${client_id}"
[[apps]]
service = "microsoft-365"
client_id = "${client_id}"
`;
}

type Line = Record<string, unknown>;

/** Starts the program, and hands out the JSON lines that it prints. */
function run(processes: ChildProcess[], words: string[]) {
  const child = spawn(inject("binary"), [...words, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  processes.push(child);
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next(wanted: (line: Line) => boolean): Promise<Line> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`keepward ${words.join(" ")} ended: ${said}`);
        const line = JSON.parse(value) as Line;
        if (wanted(line)) return line;
      }
    },
  };
}
