import { expect, test } from "vitest";
import { beside } from "./beside";

test("whoever another account signs in as is told beside the name of the account before", () => {
  expect(beside("admin@contoso.example", "adele.vance@contoso.example", "Sign-in of a person")).toBe("adele.vance@contoso.example, Sign-in of a person");
  expect(beside("admin@contoso.example", undefined, "Managed identity")).toBe("Managed identity");
});

test("an account that the name says already is not said twice", () => {
  expect(beside("Admin@contoso.example", "admin@contoso.example", "Sign-in of a person")).toBe("Sign-in of a person");
});

test("what else is known of it comes last", () => {
  expect(beside("key", "client", "Certificate of an app", undefined, "expired")).toBe("client, Certificate of an app, expired");
});
