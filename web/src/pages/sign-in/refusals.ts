import { Problem } from "../../api/problem";
import { duration } from "../../components/format";

/** The code in the address of the page that tells how a sign-in elsewhere ended. Only codes, since anybody can write the address. */
export function returned(code: string | undefined): string | undefined {
  return code !== undefined && /^[a-z][a-z-]{0,63}$/.test(code) ? code : undefined;
}

/** How many seconds sign-in is locked for, when that is why it was refused. */
export function lockedFor(error: unknown): number | undefined {
  if (!error) return undefined;
  const problem = Problem.from(error);
  return problem.status === 429 ? (problem.retryAfter ?? 60) : undefined;
}

/** `1 min 05 s`; never `0 s` while it is locked. */
export function wait(seconds: number): string {
  return duration(Math.max(1, seconds));
}

/** Only ways inside this server: an address of another one in a link must not lead there. */
export function inside(to: string | undefined, origin: string): string {
  const url = to === undefined || !URL.canParse(to, origin) ? undefined : new URL(to, origin);
  return url?.origin === origin ? url.pathname + url.search + url.hash : "/";
}
