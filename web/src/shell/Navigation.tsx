import { makeStyles, mergeClasses, Subtitle2, tokens } from "@fluentui/react-components";
import { Link as RouterLink } from "@tanstack/react-router";
import { createElement } from "react";
import { useTexts } from "../texts";
import { NAVIGATION } from "./entries";
import { useMe } from "./session";

const useStyles = makeStyles({
  group: { margin: `${tokens.spacingVerticalM} 0 ${tokens.spacingVerticalXS}`, color: tokens.colorNeutralForeground3 },
  list: { listStyle: "none", margin: 0, padding: 0 },
  entry: {
    display: "flex",
    alignItems: "center",
    gap: tokens.spacingHorizontalS,
    padding: "7px 8px",
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    ":hover": { backgroundColor: tokens.colorNeutralBackground2Hover },
    "& svg": { fontSize: "20px" },
  },
  here: { backgroundColor: tokens.colorNeutralBackground2Selected, fontWeight: tokens.fontWeightSemibold },
});

/** The pages that the person may open. */
export function Navigation() {
  const styles = useStyles();
  const t = useTexts();
  const { permissions } = useMe();
  return (
    <nav aria-label={t("navigation.label")}>
      {NAVIGATION.map(({ key, entries }) => {
        const seen = entries.filter(({ permission }) => permissions.includes(permission));
        if (seen.length === 0) return null;
        return (
          <div key={key}>
            <Subtitle2 as="h2" block className={styles.group}>
              {t(`navigation.${key}`)}
            </Subtitle2>
            <ul className={styles.list}>
              {seen.map((entry) => (
                <li key={entry.key}>
                  <RouterLink
                    to={entry.to}
                    className={styles.entry}
                    activeOptions={{ exact: entry.to === "/" }}
                    activeProps={{ className: mergeClasses(styles.entry, styles.here) }}
                  >
                    {createElement(entry.icon, { "aria-hidden": true })}
                    {t(`navigation.${entry.key}`)}
                  </RouterLink>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}
