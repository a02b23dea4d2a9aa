import { api, type Schemas } from "../../api/client";
import { useNow } from "../../components/now";
import { StatusBadge } from "../../components/StatusBadge";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { beside } from "./beside";
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

/** As what it signs in, where that is known. */
export function useAccount() {
  const t = useTexts("vault");
  return ({ account, client_id, managed_identity }: Credential): string | undefined => {
    const machine =
      managed_identity &&
      (managed_identity === "system" ? t("identity.system") : t("identity.user", { id: managed_identity }));
    return account ?? client_id ?? machine ?? undefined;
  };
}

/** A credential by its name, and as whom and how it signs in. */
export function useCredentialWords() {
  const t = useTexts("vault");
  const account = useAccount();
  return (credential: Credential, more?: string): string => {
    const { name, method } = credential;
    return `${name} (${beside(name, account(credential), t(`method.${method}`, { defaultValue: method }), more)})`;
  };
}

/** The credential of a name, for who may see it. */
export function useCredential(name: string | null | undefined) {
  const enabled = useMay("manage-connectors") && Boolean(name);
  return api.useQuery("get", "/credentials/{name}", { params: { path: { name: name ?? "" } } }, { retry: false, enabled }).data;
}

/** A credential that something uses; for who may not see it, by its name. */
export function CredentialName({ name }: { name: string }) {
  const words = useCredentialWords();
  const found = useCredential(name);
  return <>{found ? words(found) : name}</>;
}
