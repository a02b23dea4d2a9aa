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
