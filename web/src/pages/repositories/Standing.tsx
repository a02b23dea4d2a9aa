import { api, type Schemas } from "../../api/client";
import { bytes, count } from "../../components/format";
import { StatusBadge } from "../../components/StatusBadge";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";

export type Repository = Schemas["RepositoryView"];

/** What a look at the storage finds; asked once for all who show it. */
export function useStanding(name: string) {
  return api.useQuery("get", "/repositories/{name}/state", { params: { path: { name } } }, { staleTime: 60_000 });
}

/** Damage goes before everything: a damaged repository that can be reached is not fine. */
export function Standing({ repository }: { repository: Repository }) {
  const t = useTexts("repositories");
  const { data, isPending } = useStanding(repository.name);
  if (repository.damaged) return <StatusBadge tone="bad">{t("state.damaged")}</StatusBadge>;
  if (isPending) return <StatusBadge tone="neutral">{t("state.looking")}</StatusBadge>;
  if (!data) return <StatusBadge tone="neutral">{t("state.unknown")}</StatusBadge>;
  return data.reachable ? (
    <StatusBadge tone="good">{t("state.reachable")}</StatusBadge>
  ) : (
    <StatusBadge tone="bad">{t("state.away")}</StatusBadge>
  );
}

export function Size({ name }: { name: string }) {
  const { data } = useStanding(name);
  return data?.bytes == null ? <>–</> : <>{bytes(data.bytes)}</>;
}

export function Snapshots({ name }: { name: string }) {
  const { data } = useStanding(name);
  return data?.snapshots == null ? <>–</> : <>{count(data.snapshots)}</>;
}

export function LastCheck({ repository: { checked, problems } }: { repository: Repository }) {
  const t = useTexts("repositories");
  if (!checked) return <>{t("checked.never")}</>;
  return (
    <span>
      {problems ? t("checked.problems", { count: problems }) : t("checked.clean")}, <Time at={checked} />
    </span>
  );
}
