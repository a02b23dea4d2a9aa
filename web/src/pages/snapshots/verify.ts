import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { post } from "../browse/contract";
import { Problem } from "../../api/problem";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";

/** Starts a verification of a snapshot and shows its run. */
export function useVerify() {
  const t = useTexts("snapshots");
  const tell = useTell();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (snapshot: string) => post<{ id: string }>(`/snapshots/${snapshot}/verify`),
    onSuccess: ({ id }) => {
      tell(t("verifying"), t("verifyingBody"));
      void navigate({ to: "/runs/$id" as string, params: { id } as never });
    },
    onError: (error) => tell(Problem.from(error).message, Problem.from(error).hint, "error"),
  });
}
