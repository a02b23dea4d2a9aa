import type { Schemas } from "../../api/client";
import { amount, spanOf } from "../../components/format";
import { useTexts } from "../../texts";
import "./texts";

/** When new repositories, projects and users are looked for, and whether they are added. */
export function useSyncWords(): (sync: Schemas["SyncBody"]) => string {
  const t = useTexts("connectors");
  return ({ add_new, hours, time_zone, interval_minutes }) => {
    const [every, unit] = spanOf(interval_minutes ?? 0);
    const often = every === 1 ? t(`fact.everyOne.${unit}`) : t("fact.every", { span: amount(every, unit) });
    const when = hours ? t("fact.atHours", { hours: hours.join(", "), zone: time_zone ?? "UTC" }) : often;
    return t(add_new ? "fact.syncYes" : "fact.syncNo", { when });
  };
}
