import { Text } from "@fluentui/react-components";
import { api } from "../../api/client";
import { Code } from "../../components/Code";
import { Facts } from "../../components/Facts";
import { Page } from "../../components/Page";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { FourEyes } from "./FourEyes";
import { Health } from "./Health";
import "./texts";

export function Settings() {
  const t = useTexts("settings");
  return (
    <Page title={t("title")}>
      <Health />
      <FourEyes />
      <Section title={t("alarms.title")} about={t("alarms.about")}>
        <TextLink to="/alarms">{t("alarms.open")}</TextLink>
      </Section>
      <About />
    </Page>
  );
}

function About() {
  const t = useTexts("settings");
  const status = api.useQuery("get", "/status");
  return (
    <Section title={t("about.title")}>
      <Loaded query={status}>
        {({ version }) => (
          <Facts
            facts={[
              [t("about.version"), version],
              [t("about.address"), location.origin],
            ]}
          />
        )}
      </Loaded>
      <Text>{t("about.own")}</Text>
      <Text>{t("about.others")}</Text>
      <Text>{t("about.doctor")}</Text>
      <Code text="keepward doctor" />
    </Section>
  );
}
