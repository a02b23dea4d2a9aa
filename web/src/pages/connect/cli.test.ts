import { expect, test } from "vitest";
import { addCli, proofOf, shownBody } from "./cli";
import { NO_IDENTITY, type Identity } from "./identity";
import { USUAL } from "./settings";

const identity = (change: Partial<Identity>): Identity => ({ ...NO_IDENTITY, ...change });

test("a secret is no word of a command, nor of what is shown of a request", () => {
  const secret = "hunter2";
  for (const method of ["pat", "client-secret", "certificate"]) {
    const given = identity({ method, secret, clientId: "c", tenant: "t" });
    expect(proofOf(given).join(" ")).not.toContain(secret);
  }
  expect(JSON.stringify(shownBody({ identity: { method: "pat", secret } }))).not.toContain(secret);
});

test("each way to sign in has its words", () => {
  expect(proofOf(identity({ method: "user" }), "device-code")).toEqual(["--device-code"]);
  expect(proofOf(identity({ method: "pat", stored: "nightly" }))).toEqual(["--credential", "nightly"]);
  expect(proofOf(identity({ method: "managed-identity" }))).toEqual(["--managed-identity"]);
  expect(proofOf(identity({ method: "managed-identity", managed: "7f", clientId: "c", tenant: "t" }))).toEqual([
    ...["--federated", "7f", "--client-id", "c", "--tenant", "t"],
  ]);
});

test("settings are said where they were chosen", () => {
  const words = addCli({ service: "azure-devops", organization: "contoso", name: "ado", identity: identity({}), settings: USUAL });
  expect(words.join(" ")).toBe(
    "connector add azure-devops contoso --name ado --browser --sync-new true --sync-hours 2 --time-zone UTC",
  );
});
