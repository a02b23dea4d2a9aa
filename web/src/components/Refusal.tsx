import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Problem } from "../api/problem";

/** Why an action was refused, beside the form that asked for it. Nothing without an error. */
export function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  const problem = Problem.from(error);
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{problem.message}</MessageBarTitle>
        {problem.hint}
        {problem.body.errors?.map((field) => (
          <div key={`${field.pointer} ${field.detail}`}>
            <code>{field.pointer}</code> {field.detail}
          </div>
        ))}
      </MessageBarBody>
    </MessageBar>
  );
}
