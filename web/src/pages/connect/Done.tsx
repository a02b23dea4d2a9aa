import { Button, Card, makeStyles, mergeClasses, MessageBar, MessageBarBody, Subtitle1, Text, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, PlayRegular, CalendarClockRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { api } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { ShowAs } from "../../components/ShowAs";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import "./texts";
import { usePoliciesFor } from "./WorkerField";

const useStyles = makeStyles({
  title: { margin: 0 },
  head: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  mark: { color: tokens.colorStatusSuccessForeground1, fontSize: "40px" },
  // It has the focus to be read, not to be used.
  part: { outlineStyle: "none" },
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  quiet: { color: tokens.colorNeutralForeground2 },
});

interface Props {
  title: string;
  names: readonly string[];
  /** Backups that were started with the last step, in the order of the names. */
  runs?: readonly string[];
  /** Titles of data that the identity may not read. */
  missing?: readonly string[];
}

/** XA-05, XM-06: connected, and the two things to do next. */
export function Done({ title, names, runs = [], missing = [] }: Props) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("connect");
  const part = useRef<HTMLDivElement>(null);
  // The button that led here is gone.
  useEffect(() => {
    part.current?.focus();
  }, []);
  return (
    <div ref={part} tabIndex={-1} role="group" aria-label={title} className={mergeClasses(form.form, styles.part)}>
      <div className={styles.head} role="status">
        <CheckmarkCircleFilled className={styles.mark} aria-hidden />
        <Subtitle1 as="h2" className={styles.title}>{title}</Subtitle1>
      </div>
      {missing.length > 0 && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{t("done.missing", { kinds: missing.join(", ") })}</MessageBarBody>
        </MessageBar>
      )}
      {names.map((name, at) => (
        <Next key={name} name={name} run={runs[at]} several={names.length > 1} />
      ))}
      <div className={styles.line}>
        <TextLink to="/connectors">{t("done.all")}</TextLink>
        <TextLink to="/connect">{t("done.another")}</TextLink>
      </div>
    </div>
  );
}

function Next({ name, run, several }: { name: string; run: string | undefined; several: boolean }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const mayRun = useMay("run-backups");
  const connector = api.useQuery("get", "/connectors/{name}", { params: { path: { name } } });
  const [policy] = usePoliciesFor(name);
  const backup = api.useMutation("post", "/backups", {
    onSuccess: ({ id }) => navigate({ to: "/runs/$id", params: { id } }),
  });
  if (connector.error) return <Failed error={connector.error} />;
  const labels = several
    ? { custom: t("done.customPolicyOf", { name }), run: t("done.runBackupOf", { name }) }
    : { custom: t("done.customPolicy"), run: t("done.runBackup") };
  return (
    <Card>
      <Text weight="semibold">{connector.data ? `${name}: ${connector.data.organization}, ${connector.data.status.title}` : name}</Text>
      <div className={styles.line}>
        <Button
          icon={<CalendarClockRegular />}
          onClick={() => void navigate({ to: "/new/policy", search: { connector: name } })}
        >
          {labels.custom}
        </Button>
        <Text size={200} className={styles.quiet}>
          {t("done.customPolicyHint")}
        </Text>
      </div>
      {run === undefined ? (
        mayRun && (
          <div className={styles.line}>
            <Button
              appearance="primary"
              icon={<PlayRegular />}
              disabled={backup.isPending || backup.isSuccess}
              onClick={() => backup.mutate({ body: { connector: name } })}
            >
              {labels.run}
            </Button>
            <Text size={200} className={styles.quiet}>
              {policy ? t("done.runBackupHint", { policy: policy.name }) : t("done.runBackupHintAny")}
            </Text>
            <ShowAs cli={["backup", name]} method="POST" path="/backups" body={{ connector: name }} />
          </div>
        )
      ) : (
        <Text>
          {t("done.running")}{" "}
          <TextLink to="/runs/$id" params={{ id: run }} inline>
            {t("done.toRun")}
          </TextLink>
        </Text>
      )}
      <Refusal error={backup.error} />
    </Card>
  );
}
