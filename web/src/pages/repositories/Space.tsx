import { api, type Schemas } from "../../api/client";
import { COUNTED, isCounting } from "../../api/queries";
import { DataTable } from "../../components/DataTable";
import { Facts } from "../../components/Facts";
import { bytes, count, decimal, percent } from "../../components/format";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";

/** How large a repository is, and what makes it so. */
export function Space({ name }: { name: string }) {
  const t = useTexts("repositories");
  const query = api.useQuery(
    "get",
    "/repositories/{name}/stats",
    { params: { path: { name } } },
    { staleTime: 60_000, ...COUNTED },
  );
  if (isCounting(query.error)) {
    return (
      <div role="status">
        <Empty title={t("space.counting")}>{t("space.countingHint")}</Empty>
      </div>
    );
  }
  return <Loaded query={query}>{(stats) => (stats.snapshots === 0 ? <None /> : <Stats stats={stats} />)}</Loaded>;
}

function None() {
  const t = useTexts("repositories");
  return <Empty title={t("space.none")}>{t("space.noneHint")}</Empty>;
}

function Stats({ stats }: { stats: Schemas["RepositoryStats"] }) {
  const t = useTexts("repositories");
  const sources = stats.sources.toSorted((one, other) => other.bytes_stored - one.bytes_stored);
  const all = Math.max(1, stats.bytes_stored);
  return (
    <>
      <Facts
        facts={[
          [t("space.logical"), bytes(stats.bytes_logical)],
          [t("space.stored"), bytes(stats.bytes_packs)],
          [t("space.deduplication"), t("space.times", { factor: decimal(stats.deduplication) })],
          [t("space.compression"), t("space.times", { factor: decimal(stats.compression) })],
          [t("space.unused"), bytes(stats.bytes_unused)],
          [t("space.snapshots"), count(stats.snapshots)],
          [t("space.files"), count(stats.files)],
          [t("space.counted"), <Time key="counted" at={stats.counted} />],
        ]}
      />
      <Section title={t("space.title")} about={t("space.about")}>
        <DataTable
          label={t("space.sources")}
          items={sources}
          id={({ source }) => source}
          columns={[
            { key: "source", title: t("space.source"), grow: 2, cell: ({ source }) => source },
            { key: "all", title: t("space.all"), width: 110, cell: (source) => bytes(source.bytes_stored) },
            { key: "share", title: t("space.share"), width: 80, cell: (source) => percent(source.bytes_stored / all) },
            { key: "size", title: t("space.size"), minor: true, cell: (source) => bytes(source.bytes) },
            { key: "snapshots", title: t("space.snapshots"), width: 100, cell: (source) => count(source.snapshots) },
            { key: "oldest", title: t("space.oldest"), minor: true, cell: ({ oldest }) => <Time at={oldest} /> },
            { key: "newest", title: t("space.newest"), minor: true, cell: ({ newest }) => <Time at={newest} /> },
          ]}
        />
      </Section>
    </>
  );
}
