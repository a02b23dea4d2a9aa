import { useNavigate } from "@tanstack/react-router";
import { api } from "../../api/client";
import { useTellRefusal } from "../../components/tell";

/** Starts a backup and goes to its run; a refusal is said at the edge of the page. */
export function useRunBackup() {
  const navigate = useNavigate();
  return api.useMutation("post", "/backups", {
    onSuccess: ({ id }) => navigate({ to: "/runs/$id", params: { id } }),
    onError: useTellRefusal(),
  });
}
