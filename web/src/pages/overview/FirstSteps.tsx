import { Body1, Button, Card, makeStyles, mergeClasses, Subtitle2, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, CircleRegular, DismissRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api } from "../../api/client";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { isConnected, type Source } from "./standing";
import "./texts";

const HIDDEN = "keepward.first-steps-hidden";

const useStyles = makeStyles({
  list: {
    listStyle: "none",
    margin: 0,
    padding: 0,
    display: "grid",
    gap: tokens.spacingHorizontalM,
    gridTemplateColumns: "repeat(auto-fit, minmax(min(260px, 100%), 1fr))",
  },
  card: { height: "100%", boxSizing: "border-box" },
  head: { display: "flex", gap: tokens.spacingHorizontalS, alignItems: "center" },
  title: { margin: 0 },
  icon: { fontSize: "24px", lineHeight: 1 },
  done: { color: tokens.colorStatusSuccessForeground1 },
  action: { display: "flex", gap: tokens.spacingHorizontalS, marginTop: "auto" },
});

/** From nothing to a backup that was tried. Goes when a restore was made, or when somebody hides it. */
export function FirstSteps({ sources: all }: { sources: Source[] }) {
  const sources = all.filter(isConnected);
  const styles = useStyles();
  const t = useTexts("overview");
  const navigate = useNavigate();
  const mayConnect = useMay("manage-connectors");
  const mayRun = useMay("run-backups");
  const mayRestore = useMay("restore");
  const [hidden, setHidden] = useState(() => localStorage.getItem(HIDDEN) !== null);
  const restores = api.useQuery("get", "/runs", { params: { query: { kind: "restore", limit: 1 } } }, { enabled: !hidden });
  const connected = sources.length > 0;
  const backedUp = sources.some(({ last_good: last }) => last != null);
  const restored = (restores.data?.items.length ?? 0) > 0;
  if (connected && backedUp && (hidden || restores.data === undefined || restored || !mayRestore)) return null;
  const first = sources[0];
  return (
    <Section
      title={t("steps.title")}
      actions={
        connected &&
        backedUp && (
          <Button
            size="small"
            appearance="subtle"
            icon={<DismissRegular />}
            onClick={() => {
              localStorage.setItem(HIDDEN, "yes");
              setHidden(true);
            }}
          >
            {t("steps.dismiss")}
          </Button>
        )
      }
    >
      <ol className={styles.list}>
        <Step title={t("steps.connect")} hint={t("steps.connectHint")} done={connected}>
          {mayConnect && (
            <Button appearance="primary" onClick={() => void navigate({ to: "/connect" })}>
              {t("steps.connectAction")}
            </Button>
          )}
        </Step>
        <Step title={t("steps.backup")} hint={t("steps.backupHint")} done={backedUp}>
          {first && mayRun && <RunBackup connector={first.connector} />}
        </Step>
        <Step title={t("steps.restore")} hint={t("steps.restoreHint")} done={restored}>
          {backedUp && mayRestore && (
            <Button appearance="primary" onClick={() => void navigate({ to: "/snapshots" })}>
              {t("steps.restoreAction")}
            </Button>
          )}
        </Step>
      </ol>
    </Section>
  );
}

function Step({ title, hint, done, children }: { title: string; hint: string; done: boolean; children: ReactNode }) {
  const styles = useStyles();
  const t = useTexts("overview");
  return (
    <li>
      <Card className={styles.card}>
        <div className={styles.head}>
          <span className={mergeClasses(styles.icon, done && styles.done)} aria-hidden>
            {done ? <CheckmarkCircleFilled /> : <CircleRegular />}
          </span>
          <Subtitle2 as="h3" className={styles.title}>
            {title}
          </Subtitle2>
        </div>
        <Body1>{done ? t("steps.done") : hint}</Body1>
        {!done && <div className={styles.action}>{children}</div>}
      </Card>
    </li>
  );
}

function RunBackup({ connector }: { connector: string }) {
  const t = useTexts("overview");
  const tell = useTell();
  const navigate = useNavigate();
  const body = { connector };
  const backup = api.useMutation("post", "/backups", {
    onSuccess: async (run) => {
      tell(t("steps.queued"), t("steps.queuedBody"));
      await navigate({ to: `/runs/${run.id}` });
    },
  });
  return (
    <>
      <Button
        appearance="primary"
        disabled={backup.isPending}
        aria-label={t("steps.backupFor", { connector })}
        onClick={() => backup.mutate({ body })}
      >
        {t("steps.backupAction")}
      </Button>
      <ShowAs cli={["backup", connector]} method="POST" path="/backups" body={body} />
      <Refusal error={backup.error} />
    </>
  );
}
