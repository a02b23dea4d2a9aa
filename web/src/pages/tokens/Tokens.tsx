import { Button } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { Filters } from "../../components/Filters";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AddToken } from "./AddToken";
import "./texts";
import { TokenList } from "./TokenList";
import { Whose } from "./Whose";

export function Tokens() {
  const t = useTexts("tokens");
  const manages = useMay("manage-people");
  const [{ add, whose }, show] = useShown();
  const all = manages && whose === "all";
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ add: "true" })}>
          {t("add")}
        </Button>
      }
    >
      {manages && (
        <Filters>
          <Whose all={all} onChange={(next) => show({ whose: next ? "all" : undefined })} />
        </Filters>
      )}
      <TokenList all={all} />
      {add && <AddToken onClose={() => show({ add: undefined })} />}
    </Page>
  );
}
