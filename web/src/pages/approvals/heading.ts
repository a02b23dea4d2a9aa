import type { Schemas } from "../../api/client";
import { useTexts } from "../../texts";
import { forgottenBy } from "./forgottenBy";
import "./texts";

/** `repository/default` is `default` to people, who are told of what kind it is. */
function nameIn(subject: string): string {
  return subject.slice(subject.indexOf("/") + 1);
}

/** What a proposal asks for, in one line: `Delete 2 snapshots in the repository default`. */
export function useHeading(): (proposal: Schemas["Proposal"]) => string {
  const t = useTexts("approvals");
  return ({ kind, subject, change }) => {
    const words = { kind: t(`kind.${kind}`, { defaultValue: kind }), subject: nameIn(subject), count: forgottenBy(change).ids.length };
    return t([`headingOf.${kind}`, "heading"], words);
  };
}
