import { expect, test } from "vitest";
import { Problem } from "../../api/problem";
import { asksForAccess, checksOf } from "./refusals";

test("SRE-19: a sign-in that failed names access to the organization as the thing to check", () => {
  for (const code of ["account-refused", "sign-in-failed", "consent-missing", undefined]) {
    expect(asksForAccess("azure-devops", code)).toBe(true);
  }
});

test("a code that nobody entered in time, and a service that is away, say nothing of an account", () => {
  for (const code of ["device-code-expired", "device-code-declined", "device-code-unknown", "connect-session-unknown", "service-unavailable"]) {
    expect(asksForAccess("azure-devops", code)).toBe(false);
  }
});

test("a tenant is no organization", () => {
  expect(asksForAccess("microsoft-365", "account-refused")).toBe(false);
});

test("what a refusal tells of its checks is known, and nothing of what was refused for another reason", () => {
  const checks = [{ name: "credential", outcome: "fail", message: "Invalid or expired token", blocks: true }];
  const body = { type: "urn:keepward:checks-failed", title: "", status: 422, code: "checks-failed", detail: "" };
  expect(checksOf(new Problem({ ...body, checks }))).toEqual(checks);
  expect(checksOf(new Problem(body))).toEqual([]);
  expect(checksOf(null)).toEqual([]);
});
