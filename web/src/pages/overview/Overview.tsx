import { api } from "../../api/client";
import { Page } from "../../components/Page";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";

export function Overview() {
  const t = useTexts();
  const status = api.useQuery("get", "/status");
  return (
    <Page title={t("navigation.overview")}>
      <Loaded query={status}>{(data) => <pre>{JSON.stringify(data, null, 2)}</pre>}</Loaded>
    </Page>
  );
}
