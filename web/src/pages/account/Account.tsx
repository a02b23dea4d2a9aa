import { Button, Radio, RadioGroup, Text } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { Facts } from "../../components/Facts";
import { Page } from "../../components/Page";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { Tabs } from "../../components/Tabs";
import { useMe } from "../../shell/session";
import { choose, useTheme, type Choice } from "../../shell/theme";
import { useTexts } from "../../texts";
import { Sessions } from "../people/Sessions";
import "../people/texts";
import { AddToken } from "../tokens/AddToken";
import { TokenList } from "../tokens/TokenList";
import { PasswordForm } from "./PasswordForm";
import { SecondFactor } from "./SecondFactor";
import "./texts";

export function Account() {
  const t = useTexts("account");
  return (
    <Page title={t("title")}>
      <Tabs
        label={t("tabs")}
        tabs={[
          { key: "account", title: t("tab.account"), content: () => <Own /> },
          { key: "sessions", title: t("tab.sessions"), content: () => <Sessions /> },
          { key: "tokens", title: t("tab.tokens"), content: () => <OwnTokens /> },
        ]}
      />
    </Page>
  );
}

function Own() {
  const t = useTexts("account");
  const people = useTexts("people");
  const me = useMe();
  const permissions = me.permissions.filter((permission) => permission !== "own");
  return (
    <>
      <Facts
        facts={[
          [people("form.name"), me.name],
          [t("roles"), me.roles.map((role) => people(`role.${role}`)).join(", ")],
          [t("connectors"), me.connectors?.join(", ") ?? t("all")],
          [t("factor"), t(`factorState.${me.second_factor}`)],
        ]}
      />
      <Text>
        <strong>{t("may")}:</strong> {permissions.map((permission) => people(`permission.${permission}`)).join(" · ")}
      </Text>
      <PasswordForm />
      {me.has_password && <SecondFactor />}
      <Appearance />
    </>
  );
}

function Appearance() {
  const t = useTexts("account");
  const { choice } = useTheme();
  return (
    <Section title={t("appearance")} about={t("appearanceAbout")}>
      <RadioGroup aria-label={t("theme.label")} value={choice} onChange={(_, { value }) => choose(value as Choice)}>
        {(["system", "light", "dark"] as const).map((value) => (
          <Radio key={value} value={value} label={t(`theme.${value}`)} />
        ))}
      </RadioGroup>
    </Section>
  );
}

function OwnTokens() {
  const t = useTexts("tokens");
  const [{ add }, show] = useShown();
  return (
    <Section
      title={t("title")}
      about={t("about")}
      actions={
        <Button icon={<AddRegular />} onClick={() => show({ add: "true" })}>
          {t("add")}
        </Button>
      }
    >
      <TokenList all={false} />
      {add && <AddToken onClose={() => show({ add: undefined })} />}
    </Section>
  );
}
