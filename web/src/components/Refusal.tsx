import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Problem } from "../api/problem";
import { useTexts } from "../texts";
import { OutLink } from "./Outside";
import { Words } from "./Words";

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
    // An alert is read as a whole: naming it by its first words would say these twice.
    <MessageBar intent="error" layout="multiline" role="alert" aria-labelledby={undefined}>
      <MessageBarBody>
        <MessageBarTitle>
          <Words text={errors.length > 0 ? t("refusal.fields") : problem.message} />
        </MessageBarTitle>
        {errors.length === 0 && problem.hint && (
          <div>
            <Words text={problem.hint} />
          </div>
        )}
        {problem.code === "sign-in-needed" && (
          <div>
            <OutLink to={`${location.origin}/sign-in`}>{t("refusal.signIn")}</OutLink>. {t("refusal.signInHint")}
          </div>
        )}
        {elsewhere.map((field) => (
          <div key={`${field.pointer} ${field.detail}`}>
            <code>{field.pointer}</code> {field.detail}
          </div>
        ))}
      </MessageBarBody>
    </MessageBar>
  );
}
