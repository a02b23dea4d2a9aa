import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { prepare, type Prepared, simulate } from "./cloud";
import { Program } from "./program";

/** What `keepward simulator --json` prints. */
interface Simulated extends Prepared {
  url: string;
  organization: string;
  pat: string;
  tenant: string;
  client_id: string;
  client_secret: string;
  person: string;
}

/** What the simulated App Service expects of the machine's own programs. */
const IDENTITY_HEADER = "hdr";

export const ADMIN = { name: "ada", password: "correct horse battery staple" };

interface Options {
  seed?: string;
  /** Sign-in, consent and device codes are pages that a person goes through. */
  pages?: boolean;
  workItems?: number;
  /** More of the server's configuration. */
  configuration?: string;
  /** The server runs where Azure App Service gives the machine's identity. */
  appService?: boolean;
  /** Shares the simulator of another world, which has to outlive this one. */
  beside?: World;
}

/** A real server on an empty data directory, whose one cloud is a simulator. */
export class World {
  private constructor(
    readonly url: string,
    readonly setupToken: string,
    readonly simulator: Simulated,
    readonly folder: string,
    private server: Program,
    private readonly cloud: Program | undefined,
  ) {}

  static async start({ seed = "small", pages = true, workItems = 60, configuration = "", appService = false, beside }: Options = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "keepward-e2e-"));
    const scale = seed === "contoso" ? ["--work-items", String(workItems)] : [];
    const cloud = beside ? undefined : new Program(["simulator", "--seed", seed, ...scale, ...(pages ? ["--sign-in-pages"] : [])]);
    const simulated = beside?.simulator ?? (await prepared(cloud));
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data", "keepward.toml"), clouds(simulated) + configuration);
    const environment: Record<string, string> = appService ? { IDENTITY_ENDPOINT: `${simulated.url}/msi/token`, IDENTITY_HEADER } : {};
    const server = serve(folder, "127.0.0.1:0", environment);
    const { url } = await server.next((line) => line["event"] === "listening");
    const { token } = await server.next((line) => line["event"] === "setup");
    return new World(String(url), String(token), simulated, folder, server, cloud);
  }

  /** Where the server keeps what is its own. */
  get data(): string {
    return join(this.folder, "data");
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
  async connect(token: string, name: string, { organization, pat } = this.simulator as { organization: string; pat: string }) {
    const { url } = this.simulator;
    const body = { service: "azure-devops", name, organization, url, identity: { method: "pat", secret: pat } };
    await this.post("/connectors", body, { authorization: `Bearer ${token}` });
  }

  async patch(path: string, body: unknown, token: string) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${this.url}/api/v1${path}`, { method: "PATCH", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`PATCH ${path}: ${response.status} ${await response.text()}`);
  }

  async remove(path: string, token: string) {
    const response = await fetch(`${this.url}/api/v1${path}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`DELETE ${path}: ${response.status} ${await response.text()}`);
  }

  /** Changes how the simulator behaves: `POST /__entra/settings`, `/__access` … */
  async simulate(path: string, body: unknown, method = "POST"): Promise<unknown> {
    return await simulate(this.simulator.url, path, body, method);
  }

  /** Asks Azure DevOps itself, as somebody with the organization's token. A body is a patch, as work items take it. */
  async askService(method: string, path: string, patch?: unknown): Promise<Response> {
    const { url, organization, pat } = this.simulator;
    const authorization = `Basic ${Buffer.from(`:${pat}`).toString("base64")}`;
    const response = await fetch(`${url}/${organization}/${path}`, {
      method,
      headers: { authorization, ...(patch !== undefined && { "content-type": "application/json-patch+json" }) },
      ...(patch !== undefined && { body: JSON.stringify(patch) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** What a person sees who copies a command into a terminal; `files` lie beside them. */
  async shell(command: string, files: Record<string, string>): Promise<string> {
    const desk = await mkdtemp(join(this.folder, "desk-"));
    await symlink(inject("binary"), join(desk, "keepward"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(desk, name), text, { mode: 0o600 });
    const env = { PATH: `${desk}:${process.env["PATH"]}`, HOME: desk };
    return new Promise((done, failed) => {
      execFile("/bin/sh", ["-c", command], { cwd: desk, env }, (error, out, told) =>
        error ? failed(new Error(`${command}\n${out}${told}`)) : done(out),
      );
    });
  }

  /** Ends the server as a power cut does. */
  async kill() {
    await this.server.end("SIGKILL");
  }

  /** Starts the server again, at the same address. */
  async restart() {
    this.server = serve(this.folder, new URL(this.url).host);
    await this.server.next((line) => line["event"] === "listening");
  }

  async stop() {
    await this.server.end();
    await this.cloud?.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function prepared(cloud: Program | undefined): Promise<Simulated> {
  const simulated = (await cloud?.next((line) => "pat" in line)) as unknown as Simulated;
  return { ...simulated, ...(await prepare(simulated.url)) };
}

function serve(folder: string, address: string, environment: Record<string, string> = {}): Program {
  return new Program(["serve", "--data-dir", join(folder, "data"), "--listen", address], environment);
}

function clouds({ url, client_id, identity, registrator }: Simulated): string {
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
client_id = "${registrator}"
[[identities]]
title = "backup-identity"
client_id = "${identity}"
`;
}
