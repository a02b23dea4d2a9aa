import { Facts } from "../../components/Facts";
import { useNow } from "../../components/now";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { coverage, type Source } from "./standing";
import "./texts";

/** How many sources have a good backup of the last 7, 14 and 30 days. */
export function Coverage({ sources }: { sources: Source[] }) {
  const t = useTexts("overview");
  const now = useNow();
  return (
    <Section title={t("coverage.title")}>
      <Facts facts={coverage(sources, now).map(({ days, covered, all }) => [t("coverage.days", { days }), t("coverage.of", { covered, all })])} />
    </Section>
  );
}
