import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Where webhooks lead in tests: keeps what was sent. */
export class Hook {
  readonly received: { headers: Record<string, unknown>; body: string }[] = [];

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<Hook> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    const hook = new Hook(`http://127.0.0.1:${port}/hook`, server);
    server.on("request", (request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        hook.received.push({ headers: request.headers, body });
        response.writeHead(204).end();
      });
    });
    return hook;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
