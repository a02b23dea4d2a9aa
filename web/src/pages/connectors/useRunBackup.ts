import { useNavigate } from "@tanstack/react-router";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { useTell } from "../../components/tell";

/** Starts a backup and goes to its run; a refusal is said at the edge of the page. */
export function useRunBackup() {
  const navigate = useNavigate();
  const tell = useTell();
  return api.useMutation("post", "/backups", {
    onSuccess: ({ id }) => void navigate({ to: `/runs/${encodeURIComponent(id)}` as never }),
    onError: (error) => {
      const problem = Problem.from(error);
      tell(problem.message, problem.hint, "error");
    },
  });
}
