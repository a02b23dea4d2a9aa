import {
  Button,
  Drawer,
  DrawerBody,
  Link,
  makeStyles,
  mergeClasses,
  MessageBar,
  MessageBarBody,
  Subtitle1,
  Subtitle2,
  tokens,
} from "@fluentui/react-components";
import { NavigationRegular, ShieldCheckmarkFilled } from "@fluentui/react-icons";
import { Link as RouterLink, Outlet, useLocation } from "@tanstack/react-router";
import { createElement, useState } from "react";
import { useConnected, useLive } from "../api/live";
import { BasketButton } from "../pages/restore/BasketButton";
import { useTexts } from "../texts";
import { AccountMenu } from "./AccountMenu";
import { NAVIGATION } from "./navigation";
import { useMe } from "./session";

const WIDE = "@media (min-width: 960px)";

const useStyles = makeStyles({
  shell: {
    display: "flex",
    flexDirection: "column",
    minHeight: "100vh",
    backgroundColor: tokens.colorNeutralBackground1,
  },
  bar: {
    display: "flex",
    alignItems: "center",
    gap: tokens.spacingHorizontalS,
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalM}`,
    backgroundColor: tokens.colorNeutralBackground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  brand: { display: "flex", alignItems: "center", gap: tokens.spacingHorizontalS, flexGrow: 1 },
  mark: { color: tokens.colorBrandForeground1, fontSize: "24px" },
  narrowOnly: { [WIDE]: { display: "none" } },
  middle: { display: "flex", flexGrow: 1 },
  side: {
    display: "none",
    width: "220px",
    flexShrink: 0,
    padding: tokens.spacingHorizontalM,
    backgroundColor: tokens.colorNeutralBackground2,
    [WIDE]: { display: "block" },
  },
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
  main: { flexGrow: 1, minWidth: 0, padding: tokens.spacingHorizontalL, [WIDE]: { padding: "24px 32px" } },
  skip: {
    position: "absolute",
    left: "-9999px",
    ":focus": { position: "static" },
  },
});

/** What all pages of a signed-in person stand in. */
export function Shell() {
  const styles = useStyles();
  const t = useTexts();
  const { pathname } = useLocation();
  // Open on the page where it was opened: going elsewhere closes it.
  const [openOn, setOpenOn] = useState<string>();
  const open = openOn === pathname;
  useLive();
  return (
    <div className={styles.shell}>
      <Link className={styles.skip} href="#main">
        {t("navigation.skip")}
      </Link>
      <header className={styles.bar}>
        <Button
          className={styles.narrowOnly}
          appearance="subtle"
          icon={<NavigationRegular />}
          aria-label={t("navigation.open")}
          onClick={() => setOpenOn(pathname)}
        />
        <div className={styles.brand}>
          <ShieldCheckmarkFilled className={styles.mark} aria-hidden />
          <Subtitle1>{t("product")}</Subtitle1>
        </div>
        <BasketButton />
        <AccountMenu />
      </header>
      <ConnectionBar />
      <div className={styles.middle}>
        <div className={styles.side}>
          <Navigation />
        </div>
        <Drawer type="overlay" open={open} onOpenChange={(_, data) => setOpenOn(data.open ? pathname : undefined)}>
          <DrawerBody>{open && <Navigation />}</DrawerBody>
        </Drawer>
        <main id="main" className={styles.main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}

function ConnectionBar() {
  const t = useTexts();
  if (useConnected()) return null;
  return (
    <MessageBar intent="warning" layout="multiline" role="status">
      <MessageBarBody>{t("connection.lost")}</MessageBarBody>
    </MessageBar>
  );
}

function Navigation() {
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
