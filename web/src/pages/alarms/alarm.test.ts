import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { cli, objectives, placeOf, settingsOf, sorted } from "./alarm";

const alarm = (key: string, level: string, raised = "2026-11-22T00:00:00Z"): Schemas["AlarmView"] => ({
  key,
  level,
  raised,
  kind: "backup-overdue",
  subject: "contoso",
  message: "",
  hint: "",
});

test("the worst comes first, then what waits longest; an unknown level comes last", () => {
  const alarms = [
    alarm("notice", "notice"),
    alarm("new", "critical", "2026-11-22T00:00:00Z"),
    alarm("odd", "odd"),
    alarm("old", "critical", "2026-11-01T00:00:00Z"),
    alarm("warning", "warning"),
  ];
  expect(sorted(alarms).map(({ key }) => key)).toEqual(["old", "new", "warning", "notice", "odd"]);
});

test("each kind leads to where something can be done; an unknown one nowhere", () => {
  expect(placeOf({ kind: "sign-in-needed", subject: "x", connector: "contoso" })).toEqual({
    to: "/connectors/$name/sign-in",
    params: { name: "contoso" },
  });
  expect(placeOf({ kind: "storage-filling", subject: "main", connector: null })).toEqual({ to: "/repositories/$name", params: { name: "main" } });
  expect(placeOf({ kind: "damage-found", subject: "main", connector: null })?.to).toBe("/repositories/$name");
  expect(placeOf({ kind: "damage-found", subject: "azure-devops/https://dev.azure.com/contoso", connector: null })).toMatchObject({
    params: { service: "azure-devops", source: "contoso" },
    search: { address: "https://dev.azure.com/contoso" },
  });
  expect(placeOf({ kind: "later", subject: "x", connector: null })).toBeNull();
});

test("settings come back as they were, and what is no number is refused by the server, not dropped", () => {
  const settings = { backup_hours: 26, verify_days: 35, prune_days: 14, storage_percent: 90, connectors: { contoso: 4 } };
  expect(settingsOf(objectives(settings))).toEqual(settings);
  expect(settingsOf({ ...objectives(settings), backup: " 7 " }).backup_hours).toBe(7);
  const typed = { ...objectives(settings), backup: "soon", own: { contoso: "", fabrikam: "1.5" } };
  expect(settingsOf(typed)).toEqual({ ...settings, backup_hours: 0, connectors: { fabrikam: 0 } });
});

test("the command line takes an objective away that the form left empty", () => {
  const before = { backup_hours: 26, verify_days: 35, storage_percent: 90, connectors: { contoso: 4, web: 2 } };
  expect(cli({ ...before, connectors: { web: 3 } }, before).join(" ")).toBe(
    "alarm settings --backup-hours 26 --verify-days 35 --storage-percent 90 --connector web=3 --connector contoso=",
  );
});
