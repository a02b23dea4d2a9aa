import { Button } from "@fluentui/react-components";
import { AddRegular, LockClosedRegular } from "@fluentui/react-icons";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AddCredential } from "./AddCredential";
import { Ends, LastTest, useAccount } from "./Words";
import "./texts";

export function Vault() {
  const t = useTexts("vault");
  const may = useMay("manage-connectors");
  const account = useAccount();
  const paged = usePaged("/credentials", { query: { storage: true } });
  const [{ add }, show] = useShown();
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        may && (
          <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ add: "true" })}>
            {t("add")}
          </Button>
        )
      }
    >
      <Listing
        list={paged}
        label={t("list")}
        empty={
          <Empty icon={<LockClosedRegular />} title={t("empty")} action={<TextLink to="/connect">{t("toConnect")}</TextLink>}>
            {t("emptyHint")}
          </Empty>
        }
        id={({ name }) => name}
        columns={[
          {
            key: "name",
            title: t("column.name"),
            grow: 2,
            cell: ({ name }) => (
              <TextLink to="/vault/$name" params={{ name }}>
                {name}
              </TextLink>
            ),
          },
          { key: "method", title: t("column.method"), grow: 2, cell: ({ method }) => t(`method.${method}`, { defaultValue: method }) },
          { key: "account", title: t("column.account"), grow: 2, cell: (item) => account(item) ?? "–" },
          { key: "ends", title: t("column.ends"), width: 190, cell: (item) => <Ends of={item} /> },
          { key: "tested", title: t("column.tested"), cell: (item) => <LastTest of={item} /> },
          { key: "used", title: t("column.used"), cell: ({ used }) => <Time at={used} /> },
        ]}
      />
      {may && add && <AddCredential onClose={() => show({ add: undefined })} />}
    </Page>
  );
}
