import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inject } from "vitest";

type Line = Record<string, unknown>;

/** The program at work, and the JSON lines that it prints. */
export class Program {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private said = "";

  constructor(
    private readonly words: string[],
    environment: Record<string, string> = {},
  ) {
    const child = spawn(inject("binary"), [...words, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    child.stderr.on("data", (text: Buffer) => (this.said += text.toString()));
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.child = child;
  }

  async next(wanted: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`keepward ${this.words.join(" ")} ended: ${this.said}`);
      const line = JSON.parse(value) as Line;
      if (wanted(line)) return line;
    }
  }

  async end(signal: NodeJS.Signals = "SIGINT") {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
  }
}
