import { Body1, Caption1, makeStyles, tokens } from "@fluentui/react-components";
import { useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { type Overview, unprotectedOf } from "./standing";
import "./texts";

const FEW = 8;

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  row: { display: "flex", flexDirection: "column", overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

/** What was found at the services and no policy selects. */
export function Unprotected({ things }: { things: Overview["unprotected"] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  const title = useKindTitle();
  const may = useMay("manage-policies");
  if (things.length === 0) return null;
  return (
    <Section title={t("unprotected.title")}>
      <Caption1 className={styles.quiet}>{t("unprotected.hint")}</Caption1>
      <ul className={styles.list}>
        {unprotectedOf(things).map(({ connector, kind, names }) => (
          <li key={`${connector} ${kind}`} className={styles.row}>
            <Body1>
              <strong>{t("unprotected.row", { connector, kind: title(kind) })}</strong>
            </Body1>
            <Body1>
              {names.slice(0, FEW).join(", ")}
              {names.length > FEW && ` ${t("unprotected.andMore", { count: names.length - FEW })}`}
            </Body1>
            {may && (
              <TextLink to="/new/policy" search={{ connector }}>
                {t("unprotected.protect", { connector })}
              </TextLink>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
