import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Words } from "../../components/Words";
import { useTexts } from "../../texts";
import "./texts";
import type { SignInFailure } from "./useSignIn";

/** SRE-19: why the sign-in failed, and that access to the organization is the thing to check. */
export function Failure({ failure, organization }: { failure: SignInFailure; organization: string }) {
  const t = useTexts("connect");
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{t("signIn.failed")}</MessageBarTitle>
        {failure.message}
        {failure.hint && (
          <div>
            <Words text={failure.hint} />
          </div>
        )}
        <div>{organization ? t("signIn.checkAccess", { organization }) : t("signIn.checkAccessAny")}</div>
      </MessageBarBody>
    </MessageBar>
  );
}
