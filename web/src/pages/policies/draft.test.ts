import { expect, test } from "vitest";
import { sayable, words } from "./cli";
import { bodyOf, draftOf, EMPTY_KEEP, fresh, lines, parts, rate, whole } from "./draft";

test("a policy of the server comes back as it was", () => {
  const policy = bodyOf(fresh("nightly", ["contoso"]));
  expect(bodyOf(draftOf(policy))).toEqual(policy);
});

test("members that the server leaves out have the meaning that it gives them", () => {
  const draft = draftOf({ name: "p" });
  expect(draft).toMatchObject({ enabled: true, connectors: [], repository: null, retention: EMPTY_KEEP, four_eyes: false });
});

test("empty lines and choices that choose nothing are not sent", () => {
  const draft = fresh(" p ", [" contoso ", ""]);
  draft.selection.items = {
    project: { include: ["", " Pay* "], exclude: [], new: true },
    wiki: { include: [""], exclude: [""], new: true },
    user: { new: false, closed: "2026-01-01T00:00:00Z" },
  };
  draft.retention = { ...EMPTY_KEEP, within: { years: 0, months: 0, days: 0, hours: 0 }, tags: [["a", " "], [""]] };
  const body = bodyOf(draft);
  expect(body.name).toBe("p");
  expect(body.connectors).toEqual(["contoso"]);
  expect(body.selection.items).toEqual({
    project: { include: ["Pay*"], exclude: [], new: true },
    user: { include: [], exclude: [], new: false },
  });
  expect(body.retention).toEqual({ ...EMPTY_KEEP, tags: [["a"]] });
});

test("what is typed becomes values", () => {
  expect(lines("a\n\nb")).toEqual(["a", "", "b"]);
  expect(lines("")).toEqual([]);
  expect(parts("06:00, 22:00 ,")).toEqual(["06:00", "22:00"]);
  expect([whole("12", 0), whole("", null), whole("-1", 0), whole("1.5", 0), whole("1e9", 0)]).toEqual([12, null, 0, 0, 0]);
  expect([rate("1.5"), rate("1,5"), rate(""), rate("x"), rate("-1")]).toEqual([1_500_000, 1_500_000, null, null, null]);
});

test("the command line gets the same policy", () => {
  const draft = fresh("pay", ["contoso"]);
  draft.selection.items = { project: { include: ["Pay*"], exclude: ["Old"], new: false } };
  draft.retention = { ...EMPTY_KEEP, daily: 7, within: { years: 0, months: 0, days: 3, hours: 0 } };
  expect(words(draft).join(" ")).toBe(
    "policy add pay --enable --connector contoso --include project=Pay* --exclude project=Old --without-new project --at 22:00 " +
      "--time-zone UTC --jitter 0 --missed run-once --window always --keep-daily 7 --keep-within-days 3 --repository default " +
      "--max-runs 0 --max-rate 0 --four-eyes no",
  );
  expect(sayable(draft)).toBe(true);
  expect(sayable({ ...draft, retention: { ...draft.retention, tags: [["a"]] } })).toBe(false);
  expect(words(draft, { name: "pay", draft })).toContain("--keep-hourly");
});
