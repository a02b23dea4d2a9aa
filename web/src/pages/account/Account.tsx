import { Page } from "../../components/Page";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";

export function Account() {
  const t = useTexts();
  const me = useMe();
  return <Page title={t("account.profile")}>{`${me.name}: ${me.roles.join(", ")}`}</Page>;
}
