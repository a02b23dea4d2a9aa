import { Button, Card, Field, makeStyles, Radio, RadioGroup, Subtitle2, Tab, TabList, Text, tokens } from "@fluentui/react-components";
import { BranchForkRegular, CloudRegular, PeopleTeamRegular, ServerRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import "./texts";
import { forbidden } from "./refusals";

const useStyles = makeStyles({
  title: { margin: 0 },
  tabs: { flexWrap: "wrap" },
  tiles: { display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(min(280px, 100%), 1fr))", gap: tokens.spacingHorizontalL },
  tile: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS },
  card: { height: "100%", boxSizing: "border-box" },
  icon: { fontSize: "32px", color: tokens.colorBrandForeground1, lineHeight: 1 },
  about: { flexGrow: 1, color: tokens.colorNeutralForeground2 },
  words: { display: "flex", flexDirection: "column", maxWidth: "72ch" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

const PICKERS: Record<string, string[]> = {
  code: ["azure-devops", "azure-devops-server"],
  documentation: ["documentation"],
};

/** `/connect`: which type of connector to add (SRE-03, SRE-04, XA-01, XM-01). */
export function AddConnector() {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connect");
  const may = useMay("manage-connectors");
  const [shown, setShown] = useShown();
  const tab = shown["tab"] ?? "services";
  const trail = <TextLink to="/connectors">{t("back")}</TextLink>;
  if (!may) {
    return (
      <Page title={t("title")} trail={trail}>
        <Failed error={forbidden()} />
      </Page>
    );
  }
  return (
    <Page title={t("title")} trail={trail} about={t("about")}>
      <TabList
        className={styles.tabs}
        aria-label={t("tabs.label")}
        selectedValue={tab}
        onTabSelect={(_, { value }) => setShown({ tab: value === "services" ? undefined : String(value) })}
      >
        {["services", "code", "documentation"].map((value) => (
          <Tab key={value} value={value}>
            {t(`tabs.${value}`)}
          </Tab>
        ))}
      </TabList>
      <div className={form.form} role="tabpanel" aria-label={t(`tabs.${tab}`, { defaultValue: tab })}>
        {PICKERS[tab] ? (
          <Picker key={tab} kinds={PICKERS[tab]} />
        ) : (
          <>
            <Section title={t("section.devops")}>
              <div className={styles.tiles}>
                <Tile kind="azure-devops" icon={<CloudRegular />} advanced />
                <Tile kind="azure-devops-server" icon={<ServerRegular />} advanced />
              </div>
            </Section>
            <Section title={t("section.microsoft")}>
              <div className={styles.tiles}>
                <Tile kind="microsoft-365" icon={<PeopleTeamRegular />} advanced />
              </div>
            </Section>
          </>
        )}
      </div>
    </Page>
  );
}

function Tile({ kind, icon, advanced }: { kind: string; icon: ReactNode; advanced?: boolean }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const title = t(`kind.${kind}.title`);
  return (
    <div className={styles.tile}>
      <Card className={styles.card}>
        <span className={styles.icon} aria-hidden>
          {icon}
        </span>
        <Subtitle2 as="h3" className={styles.title}>{title}</Subtitle2>
        <Text block className={styles.about}>{t(`kind.${kind}.about`)}</Text>
        <div>
          <Button appearance="primary" aria-label={t("connectTo", { title })} onClick={() => void navigate({ to: "/connect/$kind", params: { kind } })}>
            {t("connect")}
          </Button>
        </div>
      </Card>
      {advanced && (
        <TextLink to="/connect/$kind/advanced" params={{ kind }}>
          {t("advancedMode")}
        </TextLink>
      )}
    </div>
  );
}

function Picker({ kinds }: { kinds: readonly string[] }) {
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const [kind, setKind] = useState(kinds[0] ?? "");
  return (
    <>
      <Field label={t("choose")}>
        <RadioGroup value={kind} onChange={(_, { value }) => setKind(value)}>
          {kinds.map((name) => (
            <Radio
              key={name}
              value={name}
              label={
                <span className={styles.words}>
                  <Text weight="semibold">
                    <BranchForkRegular aria-hidden /> {t(`kind.${name}.type`)}
                  </Text>
                  <Text size={200} className={styles.quiet}>
                    {t(`kind.${name}.about`)}
                  </Text>
                </span>
              }
            />
          ))}
        </RadioGroup>
      </Field>
      <div>
        <Button appearance="primary" onClick={() => void navigate({ to: "/connect/$kind", params: { kind } })}>
          {t("action.next")}
        </Button>
      </div>
    </>
  );
}
