import { expect, test } from "vitest";
import { words } from "./command";

test("secrets are files on the command line", () => {
  expect(words({ method: "pat", secret: "hunter2", expires: "2027-01-31T00:00:00Z" })).toEqual([
    "--pat-file",
    "FILE",
    "--expires",
    "2027-01-31T00:00:00Z",
  ]);
  expect(words({ method: "certificate", secret: "-----BEGIN", client_id: "c", tenant: "t" }).join(" ")).toBe(
    "--certificate FILE --client-id c --tenant t",
  );
});

test("a machine's identity that an app trusts is a federated one", () => {
  const machine = { assigned: "user" as const, client_id: "7f" };
  expect(words({ method: "managed-identity", managed_identity: machine })).toEqual(["--managed-identity", "7f"]);
  expect(words({ method: "managed-identity", managed_identity: machine, client_id: "c", tenant: "t" })).toEqual([
    "--federated",
    "7f",
    "--client-id",
    "c",
    "--tenant",
    "t",
  ]);
});

test("a token of the platform is named by its file", () => {
  const app = { client_id: "c", tenant: "t" };
  expect(words({ method: "workload-identity", token_file: "/run/token", ...app }).join(" ")).toBe("--workload-identity /run/token --client-id c --tenant t");
  expect(words({ method: "workload-identity", ...app }).join(" ")).toBe("--workload-identity FILE --client-id c --tenant t");
});
