import { makeStyles, tokens } from "@fluentui/react-components";
import { Section } from "../../components/Section";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import type { Need } from "./standing";
import "./texts";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0 },
  row: {
    display: "flex",
    gap: tokens.spacingHorizontalM,
    alignItems: "center",
    padding: `${tokens.spacingVerticalS} 0`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  badge: { width: "88px", flexShrink: 0 },
});

/** What needs a person, each with the way there. */
export function Needs({ needs }: { needs: Need[] }) {
  const styles = useStyles();
  const t = useTexts("overview");
  if (needs.length === 0) return null;
  return (
    <Section title={t("needs.title")}>
      <ul className={styles.list}>
        {needs.map((need) => (
          <li key={`${need.key} ${JSON.stringify([need.params, need.values])}`} className={styles.row}>
            <span className={styles.badge}>
              <StatusBadge tone={need.tone}>{t(`tone.${need.tone}`)}</StatusBadge>
            </span>
            <TextLink to={need.to} {...(need.params && { params: need.params })} {...(need.search && { search: need.search })}>
              {t(`needs.${need.key}`, need.values)}
            </TextLink>
          </li>
        ))}
      </ul>
    </Section>
  );
}
