import { expect, test } from "vitest";
import { advance, NOTHING, pace, parsePhase, type Progress, remaining, resume, share } from "./progress";

function heard(events: [at: number, name: string, data: unknown][], from: Progress = NOTHING): Progress {
  return events.reduce((before, [at, name, data]) => advance(before, { name, data }, at), from);
}

const progress = (items: number, bytes: number, expected?: number) => ({
  event: "progress",
  phase: "crawl work-item",
  items,
  bytes,
  requests: 7,
  ...(expected !== undefined && { expected }),
});

test("rate and time left come from the last minute", () => {
  const now = heard([
    [0, "progress", progress(0, 0, 1000)],
    [10_000, "progress", progress(100, 50_000, 1000)],
  ]);
  expect(pace(now, "items")).toBe(10);
  expect(pace(now, "bytes")).toBe(5_000);
  expect(remaining(now)).toBe(90);
  expect(share(now)).toBe(0.1);
});

test("what was long ago does not make a slow run look fast", () => {
  const now = heard([
    [0, "progress", progress(0, 0)],
    [100_000, "progress", progress(10_000, 0)],
    [110_000, "progress", progress(10_010, 0)],
  ]);
  expect(pace(now, "items")).toBe(1);
});

test("one report tells no rate, and no time left without a listing", () => {
  const one = heard([[0, "progress", progress(10, 10, 20)]]);
  expect([pace(one, "items"), remaining(one)]).toEqual([null, null]);
  const unknown = heard([
    [0, "progress", progress(0, 0)],
    [9_000, "progress", progress(9, 9)],
  ]);
  expect([remaining(unknown), share(unknown)]).toEqual([null, null]);
});

test("more items than a listing told are no negative time", () => {
  const now = heard([
    [0, "progress", progress(0, 0, 5)],
    [9_000, "progress", progress(9, 9, 5)],
  ]);
  expect([remaining(now), share(now)]).toEqual([null, 1]);
});

test("a pass that counts anew has no rate below zero", () => {
  const now = heard([
    [0, "progress", progress(0, 0)],
    [9_000, "progress", progress(900, 900)],
    [10_000, "progress", progress(1, 1)],
  ]);
  expect(pace(now, "items")).toBeNull();
});

test("a run that stands still never claims an end", () => {
  const now = heard([
    [0, "progress", progress(10, 0, 100)],
    [9_000, "progress", progress(10, 0, 100)],
  ]);
  expect(pace(now, "items")).toBe(0);
  expect(remaining(now)).toBeNull();
});

test("pauses, notes and issues are remembered; what is not understood changes nothing", () => {
  const now = heard([
    [1_000, "waiting", { seconds: 30, reason: "the service asked for it" }],
    [1_000, "note", { message: "goes on" }],
    [1_000, "issue", { issue: {} }],
    [1_000, "somewhat", null],
    [1_000, "phase", null],
  ]);
  expect(now).toMatchObject({ pause: { until: 31_000, reason: "the service asked for it" }, notes: ["goes on"], issues: 1, phase: null });
});

test("what is read now is named until the next phase begins", () => {
  const reading = heard([[0, "progress", { ...progress(1, 1), current: "Fix the login" }]]);
  expect(reading.current).toBe("Fix the login");
  expect(advance(reading, { name: "progress", data: progress(2, 2) }, 1).current).toBeNull();
  expect(advance(reading, { name: "phase", data: { phase: "write" } }, 1).current).toBeNull();
});

test("phases are read as verb, kind and project", () => {
  expect(parsePhase("crawl git-repository/Pay/ments")).toEqual({ verb: "crawl", kind: "git-repository", scope: "Pay/ments" });
  expect(parsePhase("crawl work-item")).toEqual({ verb: "crawl", kind: "work-item", scope: null });
  expect(parsePhase("look up")).toEqual({ verb: "look up", kind: null, scope: null });
});

test("who comes in the middle sees how far the run was, until it is heard", () => {
  const far = { event: "progress", phase: "crawl work-item", items: 100, bytes: 2000, requests: 7, expected: 400, budget_left: null };
  const before = resume(NOTHING, far);
  expect([before.phase, before.items, before.requests, share(before)]).toEqual(["crawl work-item", 100, 7, 0.25]);
  expect(pace(before, "items")).toBeNull();
  expect(resume({ ...NOTHING, phase: "write" }, far).phase).toBe("write");
  const later = advance(NOTHING, { name: "progress", data: { ...far, items: 200 } }, 1);
  expect(resume(later, far).items).toBe(200);
  expect(resume(NOTHING, undefined)).toBe(NOTHING);
});
