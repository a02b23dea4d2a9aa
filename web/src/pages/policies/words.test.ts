import i18next from "i18next";
import { expect, test } from "vitest";
import "../../texts";
import { EMPTY_KEEP, fresh } from "./draft";
import { retentionWords, scheduleWords, selectionWords, withinWords } from "./words";

const t = i18next.getFixedT(null, ["policies", "common"]);
const schedule = (more: object) => ({ ...fresh("p").schedule, jitter_minutes: 0, time_zone: "Europe/Berlin", ...more });

test("a schedule is told as people would", () => {
  const words = (when: object, more: object = {}) => scheduleWords(t, schedule({ when, ...more }));
  expect(words({ every: "hours", at: ["22:00"], days: [] })).toBe("Every day at 22:00 (Europe/Berlin)");
  expect(words({ every: "hours", at: ["22:00", "06:00"] })).toBe("Every day at 06:00 and 22:00 (Europe/Berlin)");
  expect(words({ every: "hours", at: ["22:00"], days: ["fri", "mon", "tue", "thu", "wed"] })).toBe("Monday to Friday at 22:00 (Europe/Berlin)");
  expect(words({ every: "hours", at: ["22:00"], days: ["sun", "sat"] })).toBe("Saturday and Sunday at 22:00 (Europe/Berlin)");
  expect(words({ every: "hours", at: ["1:00"], days: ["mon", "wed", "FRI"] })).toBe("Monday, Wednesday, and Friday at 1:00 (Europe/Berlin)");
  expect(words({ every: "hours", at: ["1:00"], days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] })).toBe("Every day at 1:00 (Europe/Berlin)");
  expect(words({ every: "interval", minutes: 45 })).toBe("Every 45 minutes");
  expect(words({ every: "interval", minutes: 60 })).toBe("Every hour");
  expect(words({ every: "interval", minutes: 240 })).toBe("Every 4 hours");
  expect(words({ every: "interval", minutes: 2880 })).toBe("Every 2 days");
  expect(words({ every: "interval", minutes: 90 })).toBe("Every 90 minutes");
  expect(words({ every: "cron", expression: "0 */4 * * mon-fri" })).toBe("Cron 0 */4 * * mon-fri (Europe/Berlin)");
  expect(words({ every: "cron", expression: "0 22 * * mon-fri" })).toBe("Monday to Friday at 22:00 (Europe/Berlin)");
  expect(words({ every: "cron", expression: "5 6 1 * *" })).toBe("On day 1 of each month at 06:05 (Europe/Berlin)");
  expect(words({ every: "manual" })).toBe("Only by hand");
  expect(words({ every: "manual" }, { jitter_minutes: 60, window: { from: "18:00", to: "06:00" } })).toBe("Only by hand");
});

test("spread and window are told where there are any", () => {
  const when = { every: "hours", at: ["00:00"], days: [] };
  expect(scheduleWords(t, schedule({ when, jitter_minutes: 300 }))).toBe("Every day at 00:00 or up to 5 hours later (Europe/Berlin)");
  expect(scheduleWords(t, schedule({ when: { every: "interval", minutes: 60 }, window: { from: "18:00", to: "06:00" } }))).toBe(
    "Every hour, beginning between 18:00 and 06:00 (Europe/Berlin)",
  );
});

test("retention says what stays", () => {
  expect(retentionWords(t, EMPTY_KEEP)).toBe("Everything, for good");
  expect(retentionWords(t, { ...EMPTY_KEEP, daily: 30, weekly: 12, monthly: 12 })).toBe("30 daily, 12 weekly, 12 monthly");
  expect(retentionWords(t, { ...EMPTY_KEEP, last: 1 })).toBe("the newest");
  expect(retentionWords(t, { ...EMPTY_KEEP, last: 5, yearly: 1 })).toBe("the newest 5, 1 yearly");
  expect(retentionWords(t, { ...EMPTY_KEEP, within: { years: 1, months: 0, days: 2, hours: 0 } })).toBe("everything of 1 year and 2 days");
  expect(retentionWords(t, { ...EMPTY_KEEP, within_daily: { years: 0, months: 6, days: 0, hours: 0 }, tags: [["legal", "2026"]] })).toBe(
    "daily for 6 months, those tagged legal and 2026",
  );
});

test("a length of nothing keeps nothing, and is no rule", () => {
  const none = { years: 0, months: 0, days: 0, hours: 0 };
  expect(withinWords(none)).toBeNull();
  expect(retentionWords(t, { ...EMPTY_KEEP, within: none, daily: 1 })).toBe("1 daily");
});

test("a selection names what it leaves out", () => {
  const title = (kind: string) => ({ project: "Projects", wiki: "Wikis" })[kind] ?? kind;
  expect(selectionWords(t, { kinds: [], items: {} }, title)).toBe("Everything");
  expect(selectionWords(t, { kinds: ["project", "wiki"], items: {} }, title)).toBe("Projects, Wikis");
  expect(
    selectionWords(t, { kinds: [], items: { project: { include: ["Pay*"], exclude: ["Old"], new: false } } }, title),
  ).toBe("Everything; Projects: only Pay*, without Old, no new ones");
});
