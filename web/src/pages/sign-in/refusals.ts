import { Problem } from "../../api/problem";
import { duration } from "../../components/format";

/** What an identity provider's way back can end in; others are told by their code alone. */
const KNOWN = new Set([
  "identity-provider-away",
  "identity-provider-unknown",
  "sign-in-failed",
  "sign-in-mismatch",
  "sign-in-no-role",
  "sign-in-refused",
  "too-many-requests",
]);

/** The key of the words for a code in the address of the page. Only codes, since anybody can write the address. */
export function returned(code: string | undefined): { key: string; code: string } | undefined {
  if (code === undefined || !/^[a-z][a-z-]{0,63}$/.test(code)) return undefined;
  return { key: KNOWN.has(code) ? `returned.${code}` : "returned.other", code };
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
