import { Field } from "@fluentui/react-components";
import { useId, type ReactNode } from "react";

interface Props {
  label: string;
  hint?: string;
  /** What is wrong with it. */
  wrong?: string | undefined;
  children: ReactNode;
}

/** Several controls under one label: a `Field` around them would give its own label and id to each. */
export function Group({ label, hint, wrong, children }: Props) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <Field
        label={{ children: label, id }}
        {...(hint !== undefined && { hint })}
        {...(wrong !== undefined && { validationState: "error" as const, validationMessage: wrong })}
      />
      {children}
    </div>
  );
}
