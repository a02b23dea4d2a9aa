import type { Schemas } from "../../api/client";

/** A way to sign in as the options of `keepward credential add` and `rotate`; secrets are files there. */
export function words(identity: Schemas["IdentityBody"]): string[] {
  const machine = identity.managed_identity?.assigned === "user" ? [identity.managed_identity.client_id] : [];
  const app = [
    ...(identity.client_id ? ["--client-id", identity.client_id] : []),
    ...(identity.tenant ? ["--tenant", identity.tenant] : []),
  ];
  const expires = identity.expires ? ["--expires", identity.expires] : [];
  switch (identity.method) {
    case "pat":
      return ["--pat-file", "FILE", ...(identity.user ? ["--user", identity.user] : []), ...expires];
    case "client-secret":
      return ["--client-secret-file", "FILE", ...app, ...expires];
    case "certificate":
      return ["--certificate", "FILE", ...app, ...expires];
    case "managed-identity":
      // With an app of another tenant it is that app's federated credential.
      return [app.length > 0 ? "--federated" : "--managed-identity", ...machine, ...app];
    case "federated-identity":
      return ["--federated", ...machine, ...app];
    case "workload-identity":
      return ["--workload-identity", identity.token_file ?? "FILE", ...app];
    default:
      return [];
  }
}
