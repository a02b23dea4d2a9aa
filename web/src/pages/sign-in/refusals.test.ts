import { expect, test } from "vitest";
import { Problem } from "../../api/problem";
import { inside, lockedFor, returned, wait } from "./refusals";

const problem = (status: number, retryAfter?: number) =>
  new Problem({ type: "urn:keepward:x", title: "", status, code: "x", detail: "" }, retryAfter);

test("a way back leads to this server only", () => {
  const at = (to: string | undefined) => inside(to, "https://keepward.example");
  expect(at("/runs?state=failed#x")).toBe("/runs?state=failed#x");
  expect(at(undefined)).toBe("/");
  for (const hostile of [
    "https://evil.example/",
    "//evil.example/x",
    "/\\evil.example",
    "javascript:alert(1)",
    "https://keepward.example.evil.example/",
    "http://keepward.example/",
    "https://[",
  ]) {
    expect(at(hostile)).toBe("/");
  }
});

test("words in the address are codes or nothing", () => {
  expect(returned("sign-in-no-role")).toBe("sign-in-no-role");
  for (const written of [undefined, "", "Call 555-0100 now", "<b>", "a.b", "a:b", "x".repeat(65)]) {
    expect(returned(written)).toBeUndefined();
  }
});

test("too many attempts say how long to wait, also when the server does not", () => {
  expect(lockedFor(problem(429, 840))).toBe(840);
  expect(lockedFor(problem(429))).toBe(60);
  expect(lockedFor(problem(401, 5))).toBeUndefined();
  expect(lockedFor(undefined)).toBeUndefined();
  expect([840, 0].map(wait)).toEqual(["14 min 00 s", "1 s"]);
});
