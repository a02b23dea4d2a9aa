import { expect, test } from "vitest";
import { spoken } from "./cron";

test("expressions with one time are told as people say them", () => {
  expect(spoken("5 6 * * *")).toEqual({ at: "06:05", days: [] });
  expect(spoken(" 0 22 * * MON-FRI ")).toEqual({ at: "22:00", days: ["mon", "tue", "wed", "thu", "fri"] });
  expect(spoken("0 6 * * sun,sat")).toEqual({ at: "06:00", days: ["sat", "sun"] });
  expect(spoken("0 6 01 * *")).toEqual({ at: "06:00", dayOfMonth: 1 });
});

test("anything else stays as it is written, and nothing is guessed", () => {
  for (const text of ["0 */4 * * mon-fri", "0 6 1 */2 *", "0 6 1 * mon", "0 6 * * 1-5", "0 6 * * fri-mon", "0 6 * *", "0 6 * * * *", "0 6 1,15 * *", "0 6 * * mon-", ""]) {
    expect(spoken(text), text).toBeUndefined();
  }
});
