import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Problem } from "../api/problem";
import { useTexts } from "../texts";

interface Props {
  error: unknown;
  /** Pointers of the members whose refusals are shown at their fields. */
  fields?: readonly string[] | undefined;
}

/** Why an action was refused, beside the form that asked for it. Nothing without an error. */
export function Refusal({ error, fields = [] }: Props) {
  const t = useTexts();
  if (!error) return null;
  const problem = Problem.from(error);
  const errors = problem.body.errors ?? [];
  const elsewhere = errors.filter(({ pointer }) => !pointer || !fields.includes(pointer));
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{errors.length > 0 ? t("refusal.fields") : problem.message}</MessageBarTitle>
        {errors.length === 0 && problem.hint}
        {elsewhere.map((field) => (
          <div key={`${field.pointer} ${field.detail}`}>
            <code>{field.pointer}</code> {field.detail}
          </div>
        ))}
      </MessageBarBody>
    </MessageBar>
  );
}
