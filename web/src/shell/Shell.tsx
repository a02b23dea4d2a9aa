import {
  Button,
  Link,
  makeStyles,
  MessageBar,
  MessageBarBody,
  Subtitle1,
  tokens,
} from "@fluentui/react-components";
import { NavigationRegular, ShieldCheckmarkFilled } from "@fluentui/react-icons";
import { Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useConnected, useLive } from "../api/live";
import { MAIN, TITLE } from "../components/focus";
import { BasketButton } from "../pages/restore/BasketButton";
import { useTexts } from "../texts";
import { AccountMenu } from "./AccountMenu";
import { Navigation } from "./Navigation";

const NavigationDrawer = lazy(() => import("./NavigationDrawer"));

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
  main: { flexGrow: 1, minWidth: 0, outlineStyle: "none", padding: tokens.spacingHorizontalL, [WIDE]: { padding: "24px 32px" } },
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
      <Link className={styles.skip} href={`#${MAIN}`}>
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
        {open && (
          <Suspense>
            <NavigationDrawer onClose={() => setOpenOn(undefined)} />
          </Suspense>
        )}
        <main id={MAIN} className={styles.main} tabIndex={-1} aria-labelledby={TITLE}>
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
