import { Caption1 } from "@fluentui/react-components";
import { HistoryRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import { type Column, DataTable } from "../../components/DataTable";
import { count } from "../../components/format";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { Unplaced } from "../../components/Unplaced";
import { useTexts } from "../../texts";
import { pageOf } from "../browse/source";
import { StaleMark } from "./Marks";
import { keyOf, shared, type Source, sourcesOf } from "./change";
import "./texts";

/** Every organization and tenant that has snapshots or could have some. */
export function Sources() {
  const t = useTexts("snapshots");
  // It knows the sources whose connector is gone, too.
  const overview = api.useQuery("get", "/overview");
  // The newest snapshots of most sources in one answer; each row asks for what is not in it.
  const snapshots = usePaged("/snapshots", { query: { limit: 200 } });
  const data = snapshots.isPending ? undefined : overview.data;
  return (
    <Page title={t("title")} about={t("about")}>
      <Loaded query={{ ...overview, data }}>{({ sources }) => <List sources={sourcesOf(sources, snapshots.items ?? [])} />}</Loaded>
    </Page>
  );
}

function List({ sources }: { sources: Source[] }) {
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
          <Unplaced why={of.unplaced} />
        </>
      ),
    },
    { key: "service", title: t("service"), cell: ({ service }) => t(`services.${service}`, { defaultValue: service }) },
    { key: "newest", title: t("newest"), grow: 2, cell: (source) => <Newest of={source} /> },
  ];
  return <DataTable label={t("sources")} items={sources} columns={columns} id={keyOf} />;
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
  if (!newest) return asked.isLoading ? "…" : t(asked.isError ? "newestFailed" : "noSnapshot");
  return (
    <>
      <TextLink to="/snapshots/$id" params={{ id: newest.id }}>
        <Time at={newest.time} />
      </TextLink>
      {` · ${count(newest.items)} ${t("items").toLowerCase()}`}
      <StaleMark snapshot={newest} />
    </>
  );
}
