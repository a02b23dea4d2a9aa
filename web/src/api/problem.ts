import type { components } from "./schema";

type Body = components["schemas"]["Problem"];

/** Why a request was refused or failed (RFC 9457). `code` is stable; `detail` and `hint` are for people. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly body: Body,
    /** Seconds to wait before the next attempt, where the server says so. */
    readonly retryAfter?: number,
  ) {
    super(body.detail);
  }

  get code(): string {
    return this.body.code;
  }

  get status(): number {
    return this.body.status;
  }

  get hint(): string | undefined {
    return this.body.hint ?? undefined;
  }

  /** Nobody of Keepward answered: the server is away, or what stands before it says so. */
  get away(): boolean {
    return this.code === "unreachable" || (this.code === "foreign-answer" && this.status >= 502);
  }

  /** What is wrong with one member of the request, named by its JSON pointer: `/name`. */
  field(pointer: string): string | undefined {
    return this.body.errors?.find((error) => error.pointer === pointer)?.detail;
  }

  static async of(response: Response): Promise<Problem> {
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("application/problem+json")) {
      const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
      return new Problem((await response.json()) as Body, Number.isNaN(wait) ? undefined : wait);
    }
    // A proxy in between answers with pages of its own.
    return new Problem({
      type: "urn:keepward:foreign-answer",
      title: "Something between the browser and Keepward answered",
      status: response.status,
      code: "foreign-answer",
      detail: `The answer was ${response.status} and not one of Keepward's.`,
    });
  }

  /** What is read is asked for again by itself; of a write nobody knows whether it arrived, but asked for again it has the same key (`once`). */
  static unreachable(method = "GET"): Problem {
    const next = method === "GET" ? "The page tries again by itself." : "Whether this was done is not known. Asked for again in the next minutes, it is still done only once.";
    return new Problem({
      type: "urn:keepward:unreachable",
      title: "The server cannot be reached",
      status: 0,
      code: "unreachable",
      detail: `The server cannot be reached. ${next}`,
    });
  }

  /** Anything that was thrown, as a problem. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) {
      return thrown;
    }
    return new Problem({
      type: "urn:keepward:console",
      title: "The console failed",
      status: 0,
      code: "console",
      detail: thrown instanceof Error ? thrown.message : String(thrown),
    });
  }
}
