import type { useTexts } from "../../texts";
import "./texts";

type Texts = ReturnType<typeof useTexts>;

/** Members of a policy as its own page names them. */
const NAMES: Record<string, string> = {
  name: "general.name",
  enabled: "general.enabled",
  connectors: "general.connectors",
  "selection.kinds": "selection.kinds",
  "schedule.when.every": "schedule.every",
  "schedule.when.at": "schedule.at",
  "schedule.when.days": "schedule.days",
  "schedule.when.minutes": "schedule.minutes",
  "schedule.when.expression": "schedule.expression",
  "schedule.time_zone": "schedule.zone",
  "schedule.jitter_minutes": "schedule.jitter",
  "schedule.missed": "schedule.missed",
  retention: "facts.retention",
  repository: "where.repository",
  worker: "where.worker",
  "limits.runs": "where.runs",
  four_eyes: "where.fourEyes",
};

/** `retention.within_daily` and `days` in words. */
function retentionName(t: Texts, rule: string, unit: string | undefined): string {
  const [, period] = /^within_(.*)$/.exec(rule) ?? [];
  const name = t(period === undefined ? `retention.${rule}` : `retention.withinOf.${period}`, { defaultValue: rule });
  return unit === undefined ? name : `${name}: ${t(`retention.${unit}`, { defaultValue: unit })}`;
}

/** What people call a member of a policy, wherever it is shown; its path for one that has no name. */
export function memberName(t: Texts, path: string, title: (kind: string) => string = (kind) => kind): string {
  const [head, rule, unit, choice] = path.split(".");
  if (head === "retention" && rule !== undefined) return `${t("retention.title")}: ${retentionName(t, rule, unit)}`;
  if (head === "selection" && rule === "items" && unit !== undefined && choice !== undefined) {
    return `${t("selection.items", { kind: title(unit).toLowerCase() })}: ${t(`selection.${choice}`, { defaultValue: choice })}`;
  }
  const name = NAMES[path];
  return name === undefined ? path : t(name);
}
