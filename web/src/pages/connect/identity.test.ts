import { expect, test } from "vitest";
import { bodyOf, faultsOf, NO_IDENTITY, type Identity } from "./identity";

const identity = (change: Partial<Identity>): Identity => ({ ...NO_IDENTITY, ...change });

test("SRE-23 client id and tenant id are given both, or neither", () => {
  const managed = (change: Partial<Identity>) => faultsOf(identity({ method: "managed-identity", ...change }));
  expect(managed({})).toEqual({});
  expect(managed({ clientId: "a", tenant: "b" })).toEqual({});
  expect(managed({ clientId: "a" })).toEqual({ tenant: "both" });
  expect(managed({ tenant: "b", clientId: "  " })).toEqual({ clientId: "both" });
});

test("SRE-22 the system's identity is told from one that a person assigned", () => {
  const body = (managed: string) => bodyOf(identity({ method: "managed-identity", managed }));
  expect(body("system")).toEqual({ method: "managed-identity", managed_identity: { assigned: "system" } });
  expect(body("7f")).toEqual({ method: "managed-identity", managed_identity: { assigned: "user", client_id: "7f" } });
});

test("XA-09 a kept token needs nothing else, a new one its secret", () => {
  expect(faultsOf(identity({ method: "pat", stored: "nightly" }))).toEqual({});
  expect(faultsOf(identity({ method: "pat" }))).toEqual({ secret: "missing" });
  expect(faultsOf(identity({ method: "pat", secret: "x", keepAs: "-no" }))).toEqual({ keepAs: "label" });
  expect(faultsOf(identity({ method: "pat", secret: "x", keepAs: "Ada's" }))).toEqual({ keepAs: "label" });
  expect(faultsOf(identity({ method: "pat", secret: "x", keepAs: "contoso nightly" }))).toEqual({});
});

test("XA-09 the name beside a token is no e-mail address", () => {
  expect(faultsOf(identity({ method: "pat", secret: "x", user: "me@example.com" }))).toEqual({ user: "address" });
  expect(faultsOf(identity({ method: "pat", secret: "x", user: "backup" }))).toEqual({});
  expect(faultsOf(identity({ method: "pat", stored: "nightly", user: "me@example.com" }))).toEqual({});
});

test("what was typed for another method is not sent", () => {
  const body = bodyOf(identity({ method: "pat", secret: " t ", clientId: "left over", managed: "7f", expires: "2027-01-31" }));
  expect(body).toEqual({ method: "pat", secret: "t", expires: "2027-01-31T00:00:00Z" });
  expect(bodyOf(identity({ method: "workload-identity", secret: "x", clientId: "c", tenant: "t", tokenFile: "/f" }))).toEqual({
    method: "workload-identity",
    client_id: "c",
    tenant: "t",
    token_file: "/f",
  });
});
