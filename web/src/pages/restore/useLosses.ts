import { useMemo } from "react";
import { usePaged } from "../../components/paged";
import { useWhole } from "../../components/whole";
import { useMay } from "../../shell/session";
import { foundLosses, type Loss } from "./losses";
import type { PlanDetail } from "./plan";

/** In the report of a longer restore what was found stands with each item. */
const MOST = 2_000;

/** What does not come back as it was: what the plan says, and once it was applied, what was found and several items have. */
export function useLosses(plan: PlanDetail): Loss[] {
  const mayRead = useMay("read-content");
  const wanted = mayRead && plan.apply_run != null;
  const steps = usePaged("/restore-plans/{id}/steps", { path: { id: plan.id }, query: { limit: 1_000 } }, { enabled: wanted });
  const whole = useWhole(steps, MOST, wanted);
  return useMemo(() => [...plan.losses, ...(whole ? foundLosses(steps.items ?? [], plan.losses) : [])], [plan.losses, whole, steps.items]);
}
