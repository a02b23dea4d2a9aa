import i18next from "i18next";
import { expect, test } from "vitest";
import "../../texts";
import { memberName } from "./member";

const t = i18next.getFixedT(null, ["policies", "common"]);

test("an approver reads the names that the policy's own page has", () => {
  const names = ["retention", "retention.daily", "retention.within.days", "retention.within_daily.months", "retention.tags", "schedule.time_zone", "four_eyes", "selection.items.git-repository.include", "limits.new"];
  expect(names.map((path) => memberName(t, path))).toEqual([
    "Keeps",
    "How long snapshots stay: Daily",
    "How long snapshots stay: Everything younger than: Days",
    "How long snapshots stay: Daily within: Months",
    "How long snapshots stay: Tags",
    "Time zone",
    "Keeping less needs another person’s approval",
    "Which git-repository: Include",
    "limits.new",
  ]);
});
