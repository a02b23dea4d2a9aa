import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, makeStyles, Text, tokens } from "@fluentui/react-components";
import { OutLink } from "../../components/Outside";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { Words } from "../../components/Words";
import { useTexts } from "../../texts";
import type { Check } from "./data";
import "./texts";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS },
  check: { display: "grid", gridTemplateColumns: "92px 1fr", gap: tokens.spacingHorizontalS, alignItems: "start" },
  words: { display: "flex", flexDirection: "column", minWidth: 0, overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

const TONES: Record<string, Tone> = { pass: "good", warning: "waiting", missing: "warning", fail: "bad", unknown: "neutral" };
const ORDER = ["fail", "missing", "warning", "unknown"];

/** The results of a preflight: what needs somebody first, what passed folded away. */
export function Checks({ checks, open = false }: { checks: readonly Check[]; open?: boolean }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const passed = checks.filter(({ outcome }) => outcome === "pass");
  const told = ORDER.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  return (
    <div>
      {told.length > 0 && <List checks={told} />}
      {passed.length > 0 && (
        <Accordion collapsible defaultOpenItems={open ? ["passed"] : []}>
          <AccordionItem value="passed">
            <AccordionHeader size="small">
              {told.length === 0 ? t("checks.all", { count: passed.length }) : t("checks.passed", { count: passed.length })}
            </AccordionHeader>
            <AccordionPanel>
              <List checks={passed} />
            </AccordionPanel>
          </AccordionItem>
        </Accordion>
      )}
      {checks.length === 0 && <Text className={styles.quiet}>{t("organizations.unchecked")}</Text>}
    </div>
  );
}

function List({ checks }: { checks: readonly Check[] }) {
  const styles = useStyles();
  const t = useTexts("connect");
  return (
    <ul className={styles.list} aria-label={t("checks.label")}>
      {checks.map((check) => (
        <li key={`${check.name} ${check.message}`} className={styles.check}>
          <StatusBadge tone={TONES[check.outcome] ?? "neutral"}>{t(`checks.${check.outcome}`)}</StatusBadge>
          <div className={styles.words}>
            <Text>{check.message}</Text>
            {check.outcome !== "pass" && check.hint && (
              <Text size={200} className={styles.quiet}>
                <strong>{t("checks.fix")}</strong> <Words text={check.hint} />
              </Text>
            )}
            {check.outcome !== "pass" && (check.costs?.length ?? 0) > 0 && (
              <Text size={200} className={styles.quiet}>
                {t("checks.costs", { kinds: check.costs?.join(", ") })}
              </Text>
            )}
            {check.link && <OutLink to={check.link}>{t("checks.link")}</OutLink>}
          </div>
        </li>
      ))}
    </ul>
  );
}
