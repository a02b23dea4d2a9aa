import { Body1, Button, Caption1, makeStyles, Spinner, Subtitle2, tokens } from "@fluentui/react-components";
import { ErrorCircleRegular, LockClosedRegular, QuestionCircleRegular } from "@fluentui/react-icons";
import { useEffect, useState, type ReactNode } from "react";
import { Problem } from "../api/problem";
import { useTexts } from "../texts";
import { Words } from "./Words";

const useStyles = makeStyles({
  state: {
    display: "flex",
    flexDirection: "column",
    alignItems: "center",
    textAlign: "center",
    gap: tokens.spacingVerticalS,
    padding: tokens.spacingVerticalXXL,
    color: tokens.colorNeutralForeground2,
    overflowWrap: "anywhere",
  },
  line: { display: "block" },
  live: { display: "flex", flexDirection: "column", alignItems: "center", gap: tokens.spacingVerticalS },
  icon: { fontSize: "40px", lineHeight: 1 },
});

const SLOW = 4_000;

/** While something loads; says so when it takes long, and how far it is where that is known. */
export function Loading({ children }: { children?: ReactNode }) {
  const styles = useStyles();
  const t = useTexts();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={styles.state}>
      <div className={styles.live} role="status">
        <Spinner label={t("state.loading")} />
        {slow && <Caption1>{t("state.slow")}</Caption1>}
      </div>
      {/* Not spoken: it changes many times a second. */}
      {children && <Caption1>{children}</Caption1>}
    </div>
  );
}

interface Words {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** A place where nothing is yet, with what to do about it. */
export function Empty({ icon, title, children, action }: Words) {
  const styles = useStyles();
  return (
    <div className={styles.state}>
      {icon && (
        <span className={styles.icon} aria-hidden>
          {icon}
        </span>
      )}
      <Subtitle2 as="h2">{title}</Subtitle2>
      {children && <Body1>{children}</Body1>}
      {action}
    </div>
  );
}

/** A page or part that could not be shown: failed, forbidden and gone are told apart. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const styles = useStyles();
  const t = useTexts();
  const problem = Problem.from(error);
  if (problem.status === 403) {
    return (
      <Empty icon={<LockClosedRegular />} title={t("state.forbidden")}>
        {problem.message && (
          <span className={styles.line}>
            <Words text={problem.message} />
          </span>
        )}
        <span className={styles.line}>
          <Words text={problem.code === "role-missing" ? t("state.forbiddenHint") : (problem.hint ?? t("state.forbiddenHint"))} />
        </span>
      </Empty>
    );
  }
  if (problem.status === 404) {
    return (
      <Empty icon={<QuestionCircleRegular />} title={t("state.gone")}>
        <Words text={problem.hint ?? t("state.goneHint")} />
      </Empty>
    );
  }
  const again = retry && <Button onClick={retry}>{t("state.again")}</Button>;
  return (
    <div role="alert">
      <Empty icon={<ErrorCircleRegular />} title={t("state.failed")} action={again}>
        <span className={styles.line}>
          <Words text={problem.message} />
        </span>
        {problem.hint && (
          <span className={styles.line}>
            <Words text={problem.hint} />
          </span>
        )}
        {problem.body.request_id && (
          <Caption1 block>{t("state.request", { id: problem.body.request_id })}</Caption1>
        )}
      </Empty>
    </div>
  );
}

interface Query<Data> {
  data: Data | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** Shows what a query got, or its state. Old data stay while new are read. */
export function Loaded<Data>({ query, children }: { query: Query<Data>; children: (data: Data) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <Loading />;
}
