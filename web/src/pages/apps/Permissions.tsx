import { Button, makeStyles, Tab, TabList, Text } from "@fluentui/react-components";
import { PrintRegular } from "@fluentui/react-icons";
import { api } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { Narrower } from "./Narrower";
import { PermissionTable } from "./PermissionTable";
import "./texts";

// Only the page itself goes to paper: the frame around it stands in the way.
const useStyles = makeStyles({
  screen: { "@media print": { display: "none" } },
  sheet: {
    "@media print": {
      position: "absolute",
      inset: 0,
      zIndex: 1_000_000,
      backgroundColor: "white",
      color: "black",
      // Paper is white, whatever the theme of the screen.
      "--colorNeutralForeground1": "black",
      "--colorNeutralForeground2": "black",
      "--colorNeutralStroke2": "#c0c0c0",
      height: "max-content",
    },
  },
  paper: { display: "none", "@media print": { display: "block" } },
});

const SERVICES = ["azure-devops", "microsoft-365"];

/** `/permissions`: the table that people see before they consent (AV-10 to AV-12). */
export function Permissions() {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("apps");
  const [shown, setShown] = useShown();
  const service = SERVICES.includes(shown["service"] ?? "") ? (shown["service"] as string) : "azure-devops";
  const permissions = api.useQuery("get", "/app-permissions", { params: { query: { service } } });
  return (
    <Page
      title={t("permissions.label")}
      about={t("permissions.about")}
      trail={<TextLink to="/apps">{t("title")}</TextLink>}
      actions={
        <Button className={styles.screen} icon={<PrintRegular />} title={t("permissions.printHint")} onClick={() => window.print()}>
          {t("permissions.print")}
        </Button>
      }
    >
      <TabList
        className={styles.screen}
        aria-label={t("permissions.service")}
        selectedValue={service}
        onTabSelect={(_, { value }) => setShown({ service: String(value) })}
      >
        {SERVICES.map((one) => (
          <Tab key={one} value={one}>
            {t(`services.${one}`)}
          </Tab>
        ))}
      </TabList>
      <div className={styles.sheet}>
        <Text as="p" className={styles.paper} size={600} weight="semibold">
          {t("permissions.printed", { service: t(`services.${service}`) })}
        </Text>
        <Text as="p" className={styles.paper}>
          {t("permissions.about")}
        </Text>
        <div className={form.form} role="tabpanel" aria-label={t(`services.${service}`)}>
          <Loaded query={permissions}>{({ items }) => <PermissionTable permissions={items} />}</Loaded>
          <Narrower service={service} />
        </div>
      </div>
    </Page>
  );
}
