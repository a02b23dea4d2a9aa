import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isConnected, watch } from "./live";

/** A stream that says what the test lets it say. */
class Stream extends EventTarget {
  static readonly CLOSED = 2;
  readyState = 0;
  constructor() {
    super();
    streams.push(this);
  }
  says(name: string) {
    this.dispatchEvent(new MessageEvent(name, { data: "{}" }));
  }
  close() {
    this.readyState = Stream.CLOSED;
  }
}

let streams: Stream[] = [];
const queries = new QueryClient();
const read = vi.spyOn(queries, "invalidateQueries");
let stop: () => void;

beforeEach(() => {
  streams = [];
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
  stop = watch(queries);
  streams[0]?.says("open");
  read.mockClear();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const closed = () => streams.map(({ readyState }) => readyState === Stream.CLOSED);

test("a connection that dies without a word is told of, opened again, and everything is read anew", () => {
  vi.advanceTimersByTime(45_000);
  expect(closed()).toEqual([true, false]);
  expect(isConnected()).toBe(false);
  // The browser took a connection that was dead too.
  vi.advanceTimersByTime(10_000);
  expect(closed()).toEqual([true, true, false]);
  streams[2]?.says("open");
  expect(isConnected()).toBe(true);
  streams[2]?.says("reset");
  expect(read).toHaveBeenCalledWith();
});

test("where nothing happens, the beats of the server keep the connection", () => {
  for (let beats = 0; beats < 20; beats += 1) {
    vi.advanceTimersByTime(15_000);
    streams[0]?.says("beat");
  }
  expect(closed()).toEqual([false]);
  expect(isConnected()).toBe(true);
});

test("a stream that the server refused is asked for again, and nothing more once nobody watches", () => {
  streams[0]?.close();
  streams[0]?.says("error");
  vi.advanceTimersByTime(6_000);
  expect(closed()).toEqual([true, false]);
  expect(read).toHaveBeenCalledWith();
  stop();
  vi.advanceTimersByTime(120_000);
  expect(closed()).toEqual([true, true]);
});
