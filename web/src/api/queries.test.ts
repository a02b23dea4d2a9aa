import { QueryObserver } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { Problem } from "./problem";
import { queries, unreached } from "./queries";

const asked = (error: unknown) => unreached({ state: { error } });
const answered = (status: number, code: string) => new Problem({ type: "about:blank", title: "", status, code, detail: "" });

afterEach(() => vi.unstubAllGlobals());

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

test("what was removed while somebody typed stays until they are done, and is gone then", async () => {
  let typing = true;
  let changed = () => {};
  vi.stubGlobal("document", { querySelector: () => (typing ? {} : null), body: {} });
  vi.stubGlobal(
    "MutationObserver",
    class {
      constructor(seen: () => void) {
        changed = seen;
      }
      observe() {}
      disconnect() {}
    },
  );
  let there = true;
  const queryFn = () => (there ? Promise.resolve("a credential") : Promise.reject(answered(404, "credential-unknown")));
  const page = new QueryObserver(queries, { queryKey: ["page"], queryFn });
  const leave = page.subscribe(() => {});
  await vi.waitFor(() => expect(page.getCurrentResult().data).toBe("a credential"));
  there = false;
  await page.refetch();
  expect(page.getCurrentResult()).toMatchObject({ isError: true, data: "a credential" });
  changed();
  expect(page.getCurrentResult().isFetching).toBe(false);
  typing = false;
  changed();
  await vi.waitFor(() => expect(page.getCurrentResult()).toMatchObject({ isError: true, data: undefined }));
  leave();
});
