import { afterEach, expect, test, vi } from "vitest";
import { once } from "./once";

const write = (body: string) => once(new Request("http://server/api/v1/backups", { method: "POST", body }));

afterEach(() => vi.unstubAllGlobals());

test("the same write twice at once is sent once, and both have its answer", async () => {
  const sent = vi.fn(() => Promise.resolve(Response.json({ id: "r1" })));
  vi.stubGlobal("fetch", sent);
  const answers = await Promise.all([write("contoso"), write("contoso"), write("fabrikam")]);
  expect(sent).toHaveBeenCalledTimes(2);
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ id: "r1" }, { id: "r1" }, { id: "r1" }]);
});

test("a write whose answer was lost is sent again under its key, and a later one under its own", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const keys: (string | null)[] = [];
  let fails = true;
  vi.stubGlobal("fetch", (request: Request) => {
    keys.push(request.headers.get("Idempotency-Key"));
    return fails ? Promise.reject(new TypeError("Failed to fetch")) : Promise.resolve(Response.json({}));
  });
  const ask = (key: string, body = "tailspin") => once(new Request("http://server/api/v1/backups", { method: "POST", body, headers: { "Idempotency-Key": key } }));
  await expect(ask("a")).rejects.toThrow();
  await expect(ask("b")).rejects.toThrow();
  await expect(ask("c", "another")).rejects.toThrow();
  fails = false;
  await ask("d");
  await ask("e");
  expect(keys).toEqual(["a", "a", "c", "a", "e"]);
  vi.advanceTimersByTime(301_000);
  await ask("f", "another");
  expect(keys.at(-1)).toBe("f");
  vi.useRealTimers();
});

test("asked for again after its answer, or after it failed, it is sent again", async () => {
  const sent = vi.fn(() => Promise.resolve(Response.json({})));
  sent.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  vi.stubGlobal("fetch", sent);
  const failed = await Promise.allSettled([write("contoso"), write("contoso")]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await write("contoso");
  await write("contoso");
  expect(sent).toHaveBeenCalledTimes(3);
});
