import { queryOptions } from "@tanstack/react-query";
import { client, type Schemas } from "../../api/client";

/** A run with what it came to beside its counts: what a check found, what a prune freed. */
export type Run = Schemas["RunView"] & { result?: unknown };

interface Plan {
  id: string;
  plan_run?: string | null;
  apply_run?: string | null;
}

type Get = (path: string, init: unknown) => Promise<{ data: unknown }>;

/** The restore plan that a run made or applied; only the newest ones of its connector are looked through. */
export function planQuery(run: Run) {
  return queryOptions({
    queryKey: ["get", "/restore-plans", "of", run.id],
    queryFn: async ({ signal }): Promise<string | null> => {
      const init = { params: { query: { connector: run.connector, limit: 200 } }, signal };
      const { data } = await (client.GET as unknown as Get)("/restore-plans", init);
      const plans = (data as { items: Plan[] }).items;
      return plans.find((plan) => plan.plan_run === run.id || plan.apply_run === run.id)?.id ?? null;
    },
    enabled: run.kind === "plan" || run.kind === "restore",
    staleTime: Infinity,
  });
}
