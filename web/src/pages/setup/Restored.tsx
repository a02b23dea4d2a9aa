import { Body1, Button, makeStyles, MessageBar, MessageBarBody, Spinner, Subtitle2, Text, tokens } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { api, type Schemas } from "../../api/client";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { wayTo } from "../connect/way";
import { Doorway } from "../sign-in/Doorway";
import { isOpen, type Run } from "../runs/standing";
import "./texts";

const useStyles = makeStyles({
  list: { margin: 0, paddingLeft: tokens.spacingHorizontalL, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXS },
  orphan: { overflowWrap: "anywhere" },
});

const AGAIN = 1_500;

/** How the taking up of the repository goes, and what is left for the person to do. */
export function Restored() {
  const t = useTexts("setup");
  const navigate = useNavigate();
  const query = api.useQuery("get", "/setup", {}, {
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.restore && isOpen(state.data.restore) ? AGAIN : false),
  });
  const run = query.data?.restore;
  const done = run?.state.startsWith("succeeded");
  return (
    <Doorway title={t(done ? "restored.titleDone" : "restored.title")}>
      <Loaded query={query}>{(state) => <Content state={state} />}</Loaded>
      <Button appearance="primary" onClick={() => void navigate({ to: "/" })}>
        {t("restored.overview")}
      </Button>
    </Doorway>
  );
}

function Content({ state: { restore: run, without_connector: orphans = [] } }: { state: Schemas["Setup"] }) {
  const t = useTexts("setup");
  if (!run) return <Body1>{t("restored.none")}</Body1>;
  return (
    <>
      <Progress run={run} />
      {!isOpen(run) && run.state.startsWith("succeeded") && <Again orphans={orphans} />}
    </>
  );
}

function Progress({ run }: { run: Run }) {
  const t = useTexts("setup");
  if (isOpen(run)) {
    return (
      <div role="status">
        <Spinner label={t("restored.running")} labelPosition="below" />
      </div>
    );
  }
  const whole = run.state === "succeeded";
  const back = whole || run.state === "succeeded_with_issues";
  return (
    <MessageBar intent={whole ? "success" : back ? "warning" : "error"} layout="multiline" role="status">
      <MessageBarBody>
        {back ? t(whole ? "restored.whole" : "restored.issues") : t("restored.failed", { error: run.error ?? "" })}{" "}
        <TextLink to="/runs/$id" params={{ id: run.id }} inline>
          {t("restored.openRun")}
        </TextLink>
      </MessageBarBody>
    </MessageBar>
  );
}

function Again({ orphans }: { orphans: Schemas["Orphan"][] }) {
  const t = useTexts("setup");
  const styles = useStyles();
  return (
    <>
      <Subtitle2 as="h2">{t("restored.again")}</Subtitle2>
      {orphans.length === 0 ? (
        <Text>{t("restored.nothing")}</Text>
      ) : (
        <>
          <Text>{t("restored.againAbout")}</Text>
          <ul className={styles.list}>
            {orphans.map((orphan) => (
              <li key={`${orphan.service} ${orphan.address}`} className={styles.orphan}>
                {orphan.source} ({t(`services.${orphan.service}`, { defaultValue: orphan.service })}, {orphan.address}) <Connect orphan={orphan} />
              </li>
            ))}
          </ul>
        </>
      )}
      <Text size={200}>{t("restored.later")}</Text>
    </>
  );
}

/** To the wizard that connects just this again: the same name at another address is another source. */
function Connect({ orphan }: { orphan: Schemas["Orphan"] }) {
  const t = useTexts("setup");
  const way = wayTo(orphan);
  const name = t("restored.connectOf", { source: orphan.source });
  if (!way) {
    return (
      <TextLink to="/connect" inline aria-label={name}>
        {t("restored.connect")}
      </TextLink>
    );
  }
  return (
    <TextLink to="/connect/$kind" params={{ kind: way.kind }} search={way.search} inline aria-label={name}>
      {t("restored.connect")}
    </TextLink>
  );
}
