import { makeStyles, tokens } from "@fluentui/react-components";
import { api } from "../../api/client";
import { Section } from "../../components/Section";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { RunState } from "../runs/RunState";
import { useRunWords } from "../runs/words";
import "./texts";

const FEW = 10;

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0 },
  row: {
    display: "flex",
    flexWrap: "wrap",
    gap: tokens.spacingHorizontalM,
    alignItems: "flex-start",
    padding: `${tokens.spacingVerticalS} 0`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
});

/** The runs that are at work or wait, if there are any. */
export function Working() {
  const styles = useStyles();
  const t = useTexts("overview");
  const words = useRunWords();
  const running = api.useQuery("get", "/runs", { params: { query: { state: "running", limit: FEW } } });
  const queued = api.useQuery("get", "/runs", { params: { query: { state: "queued", limit: FEW } } });
  const runs = [...(running.data?.items ?? []), ...(queued.data?.items ?? [])].slice(0, FEW);
  if (runs.length === 0) return null;
  return (
    <Section title={t("working.title")} actions={<TextLink to="/runs">{t("working.all")}</TextLink>}>
      <ul className={styles.list}>
        {runs.map((run) => (
          <li key={run.id} className={styles.row}>
            <RunState run={run} short />
            <TextLink to="/runs/$id" params={{ id: run.id }}>
              {words.title(run)}
            </TextLink>
            <Time at={run.created} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
