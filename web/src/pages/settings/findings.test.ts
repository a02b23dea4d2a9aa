import { expect, test } from "vitest";
import { findings, type Known } from "./findings";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const seen = "2026-11-22T11:59:50Z";

function of(what: string, known: Known) {
  const found = findings(known, NOW).find((one) => one.what === what);
  return [found?.state, found?.words, found?.values?.names ?? found?.values?.count];
}

test("what is not known is not called good", () => {
  expect(new Set(findings({}, NOW).map(({ state }) => state))).toEqual(new Set(["unknown"]));
});

test("one repository that is away or damaged is enough to do something", () => {
  const main = { name: "main", default: true, well: true };
  expect(of("repository", { repositories: [] })).toEqual(["bad", "repositories.none", undefined]);
  expect(of("repository", { repositories: [main] })).toEqual(["good", "repositories.good", 1]);
  expect(of("repository", { repositories: [main, { name: "far", default: false, well: false }] })).toEqual(["bad", "repositories.bad", "far"]);
  expect(of("repository", { repositories: [{ ...main, default: false }] })[0]).toBe("warning");
});

test("workers that are away are named, and without any that is ready nothing runs", () => {
  const worker = (name: string, at: string) => ({ name, labels: [], storages: [], own: false, seen: at });
  expect(of("worker", { workers: [worker("a", seen), worker("b", "2026-11-21T00:00:00Z")] })).toEqual(["warning", "workers.away", "b"]);
  expect(of("worker", { workers: [worker("b", "2026-11-21T00:00:00Z")] })[0]).toBe("bad");
});

test("a channel that is off, or that tells of successes alone, tells nobody", () => {
  const channel = { name: "ops", enabled: true, version: 0, connectors: [], to: { kind: "slack" as const }, on: ["failure" as const, "alarm" as const] };
  expect(of("notification", { channels: [channel] })).toEqual(["good", "notifications.good", "ops"]);
  expect(of("notification", { channels: [{ ...channel, enabled: false }] })[0]).toBe("warning");
  expect(of("notification", { channels: [{ ...channel, on: ["success"] }] })[0]).toBe("warning");
});

test("disabled administrators do not count, and identity providers have second factors of their own", () => {
  const person = (name: string, change: object) => ({
    name,
    roles: ["admin"],
    disabled: false,
    has_password: true,
    second_factor: "on",
    version: 0,
    created: seen,
    ...change,
  });
  const people = [person("anna", {}), person("ben", { disabled: true })];
  expect(of("administrator", { people })).toEqual(["warning", "administrators.one", undefined]);
  expect(of("administrator", { people: [...people, person("cara", { has_password: false, second_factor: "off" })] })[0]).toBe("good");
  expect(of("factor", { people: [person("anna", { second_factor: "pending" })] })).toEqual(["warning", "factors.bad", "anna"]);
  expect(of("factor", { people: [person("cara", { has_password: false, second_factor: "off" })] })[0]).toBe("good");
});

test("alarms that somebody knows of, and a clock that is some seconds off, are no reason to act", () => {
  const alarm = { key: "k", kind: "backup-overdue", level: "critical", message: "", hint: "", raised: seen, subject: "contoso" };
  expect(of("alarm", { alarms: [alarm] })).toEqual(["bad", "alarms.bad", 1]);
  expect(of("alarm", { alarms: [{ ...alarm, acknowledged: { at: seen, by: "anna", reason: "x" } }] })[0]).toBe("good");
  expect(of("clock", { skew: 20 })[0]).toBe("good");
  expect(of("clock", { skew: -90 })[0]).toBe("warning");
});
