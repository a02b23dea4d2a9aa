import { useTexts } from "../../texts";
import { asker } from "./asker";
import "./texts";

/** Who asked, in words: a person, perhaps with a token. */
export function useAsker(requester: string): string {
  const t = useTexts("approvals");
  const { person, token } = asker(requester);
  return token === undefined ? person : t("withToken", { person, token });
}

export function AskedBy({ requester }: { requester: string }) {
  return useAsker(requester);
}
