import type { Schemas } from "../../api/client";
import { useNow } from "../../components/now";
import { StatusBadge } from "../../components/StatusBadge";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { expiryOf } from "./expiry";
import "./texts";

export type Credential = Schemas["CredentialView"];

/** Those whose proof comes from the platform and is renewed by it. */
const WITHOUT_SECRET = new Set(["managed-identity", "federated-identity", "workload-identity"]);

export function hasSecret({ method }: Credential): boolean {
  return !WITHOUT_SECRET.has(method);
}

/** How long it still works, in words and color. */
export function Ends({ of }: { of: Credential }) {
  const t = useTexts("vault");
  const now = useNow();
  if (!hasSecret(of) || (of.method === "user" && !of.expires)) {
    return <StatusBadge tone="good">{t("expiry.none")}</StatusBadge>;
  }
  const { tone, key, count } = expiryOf(of.expires, now);
  return <StatusBadge tone={tone}>{t(`expiry.${key}`, { count })}</StatusBadge>;
}

export function LastTest({ of }: { of: Credential }) {
  const t = useTexts("vault");
  if (!of.tested) return <>{t("test.never")}</>;
  return (
    <span>
      {t(of.test_error ? "test.bad" : "test.good")}, <Time at={of.tested} />
    </span>
  );
}

/** As what it signs in. */
export function useAccount() {
  const t = useTexts("vault");
  return ({ account, client_id, managed_identity }: Credential): string => {
    const machine =
      managed_identity &&
      (managed_identity === "system" ? t("identity.system") : t("identity.user", { id: managed_identity }));
    return account ?? client_id ?? machine ?? "–";
  };
}
