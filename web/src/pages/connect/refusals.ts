import { Problem } from "../../api/problem";

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
