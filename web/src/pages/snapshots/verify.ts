import { useNavigate } from "@tanstack/react-router";
import { api } from "../../api/client";
import { useTell, useTellRefusal } from "../../components/tell";
import { useTexts } from "../../texts";

/** The same outside the console. */
export const verifyAs = (id: string) => ({ cli: ["verify", id.slice(0, 8)], method: "POST", path: `/snapshots/${id}/verify` }) as const;

/** Starts a verification of a snapshot and shows its run. */
export function useVerify() {
  const t = useTexts("snapshots");
  const tell = useTell();
  const navigate = useNavigate();
  const verify = api.useMutation("post", "/snapshots/{id}/verify", {
    onSuccess: ({ id }) => {
      tell(t("verifying"), t("verifyingBody"));
      return navigate({ to: "/runs/$id", params: { id } });
    },
    onError: useTellRefusal(),
  });
  return { isPending: verify.isPending, start: (id: string) => verify.mutate({ params: { path: { id } } }) };
}
