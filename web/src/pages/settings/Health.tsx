import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useIsFetching, useQueries } from "@tanstack/react-query";
import { api, client } from "../../api/client";
import { useAll } from "../../components/all";
import { duration } from "../../components/format";
import { useNow } from "../../components/now";
import { Section } from "../../components/Section";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { type Finding, findings, type Known } from "./findings";

const TONES: Record<Finding["state"], Tone> = { good: "good", warning: "warning", bad: "bad", unknown: "neutral" };
const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  finding: { display: "grid", gridTemplateColumns: "130px 1fr", gap: tokens.spacingHorizontalM, alignItems: "start" },
});

/** Looks at everything that a backup needs, as far as the interface tells of it. */
export function Health() {
  const t = useTexts("settings");
  const styles = useStyles();
  const now = useNow();
  const known = useKnown();
  const asking = useIsFetching() > 0;
  const difference = duration(Math.abs(known.skew ?? 0));
  return (
    <Section title={t("health.title")} about={t("health.about")}>
      <ul className={styles.list}>
        {findings(known, now).map(({ what, state, words, values, to }) => (
          <li key={what} className={styles.finding}>
            <div>
              <StatusBadge tone={TONES[state]}>{t(state === "unknown" && asking ? "health.looking" : `health.${state}`)}</StatusBadge>
            </div>
            <div>
              <TextLink to={to}>{t(`health.${what}`)}</TextLink>
              <Text block>{words && t(`health.${words}`, { difference, ...values })}</Text>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Each is asked for by itself: what cannot be read stays unknown, and the rest is told. */
function useKnown(): Known {
  const repositories = useRepositories();
  const workers = api.useQuery("get", "/workers").data?.items;
  const channels = api.useQuery("get", "/notifications").data?.items;
  const alarms = api.useQuery("get", "/alarms").data?.items;
  const credentials = useAll("/credentials", {}).items;
  const people = useAll("/people", {}).items;
  const status = api.useQuery("get", "/status");
  const skew = status.data && Math.round((Date.parse(status.data.time) - status.dataUpdatedAt) / 1_000);
  return {
    ...(repositories && { repositories }),
    ...(workers && { workers }),
    ...(channels && { channels }),
    ...(alarms && { alarms }),
    ...(credentials && { credentials }),
    ...(people && { people }),
    ...(skew !== undefined && { skew }),
  };
}

function useRepositories(): Known["repositories"] {
  const listed = api.useQuery("get", "/repositories").data?.items;
  const states = useQueries({
    queries: (listed ?? []).map(({ name }) => ({
      queryKey: ["get", "/repositories/{name}/state", { params: { path: { name } } }],
      queryFn: async () => {
        const { data } = await client.GET("/repositories/{name}/state", { params: { path: { name } } });
        return data ?? null;
      },
      staleTime: 60_000,
    })),
  });
  if (!listed || states.some(({ isPending }) => isPending)) return undefined;
  return listed.map((repository, index) => ({
    name: repository.name,
    default: repository.default,
    well: states[index]?.data?.reachable === true && !repository.damaged,
  }));
}
