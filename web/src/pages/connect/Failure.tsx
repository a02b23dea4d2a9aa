import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Words } from "../../components/Words";
import { useTexts } from "../../texts";
import { asksForAccess, type SignInFailure } from "./refusals";
import "./texts";

interface Props {
  failure: SignInFailure;
  service: string;
  organization: string;
}

/** SRE-19: why the sign-in failed, and that access to the organization is the thing to check where that may be why. */
export function Failure({ failure, service, organization }: Props) {
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
        {asksForAccess(service, failure.code) && <div>{organization ? t("signIn.checkAccess", { organization }) : t("signIn.checkAccessAny")}</div>}
      </MessageBarBody>
    </MessageBar>
  );
}
