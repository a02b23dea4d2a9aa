import { expect, test } from "vitest";
import { Problem } from "./problem";
import { unreached } from "./queries";

const asked = (error: unknown) => unreached({ state: { error } });
const answered = (status: number, code: string) => new Problem({ type: "about:blank", title: "", status, code, detail: "" });

test("a page that was opened while the server was away is asked for again, also where a proxy says so", async () => {
  expect(asked(Problem.unreachable())).toBe(5_000);
  expect(asked(await Problem.of(new Response("<h1>Bad gateway</h1>", { status: 502 })))).toBe(5_000);
});

test("what the server refused, or what the console itself cannot do, is not asked for again and again", async () => {
  expect(asked(null)).toBe(false);
  expect(asked(new TypeError("x is undefined"))).toBe(false);
  expect(asked(answered(503, "storage-unreachable"))).toBe(false);
  expect(asked(await Problem.of(new Response("<h1>Not here</h1>", { status: 404 })))).toBe(false);
});
