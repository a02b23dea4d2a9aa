import { makeStyles, tokens } from "@fluentui/react-components";
import { Problem } from "../api/problem";

/** How forms are laid out: one field under the other, or a few in a row where there is room. */
export const useFormStyles = makeStyles({
  // What is said of a field may hold an address, longer than a telephone is wide.
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM, "& .fui-Field": { overflowWrap: "anywhere" } },
  row: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fit, minmax(min(200px, 100%), 1fr))",
    gap: tokens.spacingHorizontalM,
    alignItems: "start",
  },
  narrow: { maxWidth: "640px" },
});

/** `<Field {...wrong(message)}>` marks the field as wrong, where there is a message. */
export function wrong(message: string | undefined) {
  return message === undefined ? {} : ({ validationState: "error", validationMessage: message } as const);
}

/** `<Field {...at("/name")}>` shows what the server refused of this member. */
export function refusedAt(error: unknown) {
  const problem = error ? Problem.from(error) : undefined;
  return (pointer: string) => wrong(problem?.field(pointer));
}
