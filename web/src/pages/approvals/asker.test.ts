import { expect, test } from "vitest";
import { asker } from "./asker";

test("who asked with a token is the person, and the token is told", () => {
  expect(asker("ada")).toEqual({ person: "ada" });
  expect(asker("ada/e2e")).toEqual({ person: "ada", token: "e2e" });
});
