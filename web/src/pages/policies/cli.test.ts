import { expect, test } from "vitest";
import { arranged } from "../../components/commandLine";
import { sayable, words } from "./cli";
import { bodyOf, type Draft, EMPTY_KEEP, fresh, ZERO } from "./draft";

/** The same numbers each time, from a seed. */
function dice(seed: number) {
  let state = seed;
  const upTo = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <T>(...values: T[]): T => values[upTo(values.length)] as T;
  const some = (...values: string[]) => values.filter(() => upTo(3) === 0);
  return { pick, some };
}

function drawn({ pick, some }: ReturnType<typeof dice>): Draft {
  const choice = () => ({ include: some("Pay*", "a=b", "-x"), exclude: some("*/archive-*", "Old"), new: pick(true, true, false) });
  return bodyOf({
    name: "narrow",
    enabled: pick(true, false),
    connectors: some("contoso", "prod-*", "-odd"),
    selection: {
      kinds: some("project", "git-repository"),
      items: { ...(pick(true, false) && { project: choice() }), ...(pick(true, false) && { wiki: choice() }) },
    },
    schedule: {
      when: pick(
        { every: "manual" as const },
        { every: "interval" as const, minutes: 45 },
        { every: "cron" as const, expression: "0 */4 * * mon-fri" },
        { every: "hours" as const, at: ["03:00", "22:00"], days: some("mon", "sun") },
      ),
      time_zone: pick("UTC", "Europe/Berlin"),
      jitter_minutes: pick(0, 30),
      missed: pick("skip" as const, "run-once" as const, "catch-up" as const),
      window: pick(null, { from: "22:00", to: "06:00" }),
    },
    retention: {
      ...EMPTY_KEEP,
      last: pick(0, 3),
      daily: pick(0, 30),
      yearly: pick(0, 1),
      within: pick(null, { ...ZERO, days: 7 }, { ...ZERO, days: 0 }),
    },
    repository: pick(null, "main"),
    worker: some("fast", "berlin"),
    limits: { runs: pick(null, 2), bytes_per_second: pick(null, 5_000_000) },
    four_eyes: pick(true, false),
  });
}

// The command line's own tests read them back: crates/cli/src/commands/policy/change.rs
test("a command does what the page does, whatever is filled in or emptied", async () => {
  const cases = Array.from({ length: 80 }, (_, seed) => {
    const rolls = dice(seed + 1);
    const before = seed % 4 === 0 ? undefined : drawn(rolls);
    const body = drawn(rolls);
    const edited = before && { name: before.name, draft: before };
    expect(sayable(body, edited)).toBe(true);
    return { before: before ?? null, words: arranged(words(body, edited)), body };
  });
  await expect(`[\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`).toMatchFileSnapshot("cli.cases.json");
});

test("lists and lengths that were emptied have words", () => {
  const before = fresh("narrow", ["zzz"]);
  before.selection = { kinds: ["project"], items: { project: { include: ["Pay*"], exclude: ["Old"], new: false } } };
  const after = bodyOf({ ...fresh("narrow"), retention: { ...before.retention, within: null } });
  const said = words(after, { name: "narrow", draft: before }).join(" ");
  expect(said).toContain("--other-connectors --kind all --include project= --exclude project= --with-new project ");
  expect(said).toContain("--keep-within-days 0");
});

test("what the command line has no word for is not shown as a command", () => {
  const draft = fresh("p");
  const edited = (change: Partial<Draft>) => ({ name: "p", draft: { ...draft, ...change } });
  expect(sayable(draft, edited({}))).toBe(true);
  expect(sayable(draft, edited({ retention: { ...EMPTY_KEEP, tags: [["a"]] } }))).toBe(false);
  expect(sayable({ ...draft, name: "other" }, edited({}))).toBe(false);
  expect(sayable({ ...draft, repository: "default" })).toBe(false);
  expect(sayable({ ...draft, worker: ["any"] })).toBe(false);
});
