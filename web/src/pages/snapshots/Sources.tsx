import { Caption1 } from "@fluentui/react-components";
import { HistoryRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import type { Column } from "../../components/DataTable";
import { count } from "../../components/format";
import { type Pages, Rows } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty, Failed, Loading } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { pageOf } from "../browse/source";
import { keyOf, shared, type Source, sourcesOf } from "./change";
import "./texts";

/** Every organization and tenant that has snapshots or could have some. */
export function Sources() {
  const t = useTexts("snapshots");
  const connectors = usePaged("/connectors", { query: { limit: 200 } });
  // Sources whose connector is gone are known by their snapshots alone.
  const snapshots = usePaged("/snapshots", { query: { limit: 200 } });
  const error = connectors.error ?? snapshots.error;
  return (
    <Page title={t("title")} about={t("about")}>
      {connectors.items && snapshots.items ? (
        <List
          sources={sourcesOf(connectors.items, snapshots.items)}
          list={connectors}
        />
      ) : error ? (
        <Failed error={error} retry={() => void Promise.all([connectors.refetch(), snapshots.refetch()])} />
      ) : (
        <Loading />
      )}
    </Page>
  );
}

function List({ sources, list }: { sources: Source[]; list: Pages }) {
  const t = useTexts("snapshots");
  if (sources.length === 0) {
    return (
      <Empty icon={<HistoryRegular />} title={t("none")} action={<TextLink to="/connectors">{t("connect")}</TextLink>}>
        {t("noneHint")}
      </Empty>
    );
  }
  const alike = shared(sources);
  const columns: Column<Source>[] = [
    {
      key: "source",
      title: t("source"),
      grow: 3,
      cell: (of) => (
        <>
          <TextLink {...pageOf(of)}>{of.connector ?? of.source}</TextLink>
          {of.connector !== undefined && of.connector.toLowerCase() !== of.source.toLowerCase() && ` (${of.source})`}
          {of.connector === undefined && <StatusBadge tone="neutral">{t("gone")}</StatusBadge>}
          {alike.has(of.source.toLowerCase()) && of.address && <Caption1 block>{of.address}</Caption1>}
        </>
      ),
    },
    { key: "service", title: t("service"), cell: ({ service }) => t(`services.${service}`, { defaultValue: service }) },
    { key: "newest", title: t("newest"), grow: 2, cell: (source) => <Newest of={source} /> },
  ];
  return (
    <Rows
      label={t("sources")}
      items={sources}
      columns={columns}
      id={keyOf}
      list={list}
    />
  );
}

/** Asked for each source that is in sight: the newest snapshots of all may be those of one. */
function Newest({ of }: { of: Source }) {
  const t = useTexts("snapshots");
  const asked = api.useQuery(
    "get",
    "/snapshots",
    { params: { query: { source: of.address ?? of.source, limit: 1 } } },
    { enabled: of.newest === undefined },
  );
  const newest = of.newest ?? asked.data?.items[0];
  if (!newest) return asked.isLoading ? "…" : t("noSnapshot");
  return (
    <>
      <TextLink to="/snapshots/$id" params={{ id: newest.id }}>
        <Time at={newest.time} />
      </TextLink>
      {` · ${count(newest.items)} ${t("items").toLowerCase()}`}
    </>
  );
}
