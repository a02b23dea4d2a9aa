import { Badge, Button } from "@fluentui/react-components";
import { AddRegular, BoxRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { AddRepository } from "./AddRepository";
import { LastCheck, Size, Snapshots, Standing } from "./Standing";
import "./texts";

export function Repositories() {
  const t = useTexts("repositories");
  const may = useMay("manage-repositories");
  const query = api.useQuery("get", "/repositories");
  const [{ add }, show] = useShown();
  const button = may && (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => show({ add: "true" })}>
      {t("add")}
    </Button>
  );
  return (
    <Page title={t("title")} about={t("about")} actions={button}>
      <Listing
        list={query}
        label={t("list")}
        empty={
          <Empty icon={<BoxRegular />} title={t("empty")}>
            {t("emptyHint")}
          </Empty>
        }
        id={({ name }) => name}
        columns={[
          {
            key: "name",
            title: t("column.name"),
            grow: 2,
            cell: ({ name, default: usual }) => (
              <>
                <TextLink to="/repositories/$name" params={{ name }}>
                  {name}
                </TextLink>{" "}
                {usual && <Badge appearance="outline">{t("default")}</Badge>}
              </>
            ),
          },
          { key: "state", title: t("column.state"), width: 150, cell: (item) => <Standing repository={item} /> },
          { key: "size", title: t("column.size"), width: 100, cell: ({ name }) => <Size name={name} /> },
          { key: "snapshots", title: t("column.snapshots"), width: 100, cell: ({ name }) => <Snapshots name={name} /> },
          { key: "checked", title: t("column.checked"), grow: 2, cell: (item) => <LastCheck repository={item} /> },
          { key: "location", title: t("column.location"), grow: 3, cell: ({ location }) => location },
        ]}
      />
      {may && add && <AddRepository onClose={() => show({ add: undefined })} />}
    </Page>
  );
}
