import { Problem } from "../../api/problem";
import type { Check } from "./data";

/** What the server would answer to somebody whose roles do not allow the page. */
export function forbidden(): Problem {
  return new Problem({ type: "urn:keepward:role-missing", title: "", status: 403, code: "role-missing", detail: "" });
}

export function gone(): Problem {
  return new Problem({ type: "urn:keepward:path-unknown", title: "", status: 404, code: "path-unknown", detail: "" });
}

/** Whether the server has forgotten the wizard: after half an hour, or when it was canceled elsewhere. */
export function isExpired(error: unknown): boolean {
  return Boolean(error) && Problem.from(error).code === "connect-session-unknown";
}

/** What was checked when something was refused. */
export function checksOf(error: unknown): readonly Check[] {
  return error ? (Problem.from(error).body.checks ?? []) : [];
}

/** Why a sign-in failed. */
export interface SignInFailure {
  code?: string | undefined;
  message: string;
  hint?: string | null | undefined;
}

/** What happens before the service knows who it is: no account is to blame. */
const OF_NOBODY = new Set([
  "connect-session-unknown",
  "device-code-declined",
  "device-code-expired",
  "device-code-unknown",
  "service-unavailable",
  "sign-in-mismatch",
  "throttled",
]);

/** SRE-19: whether access to the organization is what to check. A tenant is none. */
export function asksForAccess(service: string, code: string | undefined): boolean {
  return service === "azure-devops" && !(code !== undefined && OF_NOBODY.has(code));
}
