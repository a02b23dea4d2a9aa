export type PlanState = "planning" | "ready" | "failed" | "applying" | "applied" | "applied_with_issues" | "canceled";

export const STATES: PlanState[] = ["planning", "ready", "applying", "applied", "applied_with_issues", "failed", "canceled"];

export interface Plan {
  id: string;
  state: PlanState;
  snapshot: string;
  repository: string;
  taken_at: string | null;
  source: string | null;
  target: { connector: string; organization: string | null; same: boolean };
  conflict: "skip" | "replace" | "duplicate";
  created_at: string;
  created_by: string | null;
  planned_at: string | null;
  plan_run: string | null;
  run: string | null;
  apply_run: string | null;
  undoes: string | null;
  can_undo: boolean;
  error?: string | null;
}

export const ACTIONS = ["create", "undelete", "replace", "merge", "remove", "skip", "export"] as const;
export type Action = (typeof ACTIONS)[number];

export type Counts = { kind: string } & Record<Action, number>;

export interface PlanDetail extends Plan {
  counts: Counts[];
  losses: { kind: string; text: string; items: number }[];
  /** To be typed before it is applied, since something is replaced or removed. */
  confirm: string | null;
}

export interface Step {
  kind: string;
  item: string;
  name: string;
  project: string | null;
  action: Action;
  reason?: string | null;
  losses: string[];
  state: "waiting" | "done" | "failed" | "skipped";
  new_id?: string | null;
  url?: string | null;
  differences: string[];
}

export interface Identity {
  from: { name: string; unique_name: string };
  to: { unique_name: string } | null;
  found: boolean;
  items: number;
}
