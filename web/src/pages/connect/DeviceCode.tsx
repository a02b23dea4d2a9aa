import { Button, Card, Link, makeStyles, Spinner, Subtitle2, Text, tokens } from "@fluentui/react-components";
import { CopyButton } from "../../components/CopyButton";
import { useFormStyles } from "../../components/form";
import { when } from "../../components/format";
import { OutButton } from "../../components/Outside";
import { Loading } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import type { Begin, WizardView } from "./data";
import { Failure } from "./Failure";
import "./texts";
import { useSignIn } from "./useSignIn";

const useStyles = makeStyles({
  title: { margin: 0 },
  code: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeHero800,
    lineHeight: tokens.lineHeightHero800,
    fontWeight: tokens.fontWeightSemibold,
    letterSpacing: "0.12em",
    overflowWrap: "anywhere",
  },
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  quiet: { color: tokens.colorNeutralForeground2 },
});

interface Props {
  request: Begin;
  organization: string;
  onDone: (wizard: WizardView) => void;
  /** Ways that need no device code (XM-08). */
  onWindow: () => void;
  onOwnApp: () => void;
}

/** A code to be entered at Microsoft, on any device; notices by itself when it was (XM-02 to XM-05). */
export function DeviceCode({ request, organization, onDone, onWindow, onOwnApp }: Props) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("connect");
  const { wizard, failure, error, again } = useSignIn(request, true, onDone);
  const prompt = wizard?.sign_in;
  const devops = request.service === "azure-devops";
  const uri = prompt?.verification_uri;
  return (
    <Card className={form.form}>
      <Subtitle2 as="h2" className={styles.title}>{t("device.title")}</Subtitle2>
      {!wizard && !error && <Loading />}
      {prompt?.user_code && !failure && (
        <>
          <Text>{t("device.how")}</Text>
          <div className={styles.line}>
            <output className={styles.code} aria-label={t("device.code")}>
              {prompt.user_code}
            </output>
            <CopyButton text={prompt.user_code} label={t("device.copy")} />
          </div>
          <div className={styles.line}>
            {uri && (
              <OutButton appearance="primary" to={uri}>
                {t(devops ? "device.loginDevops" : "device.login")}
              </OutButton>
            )}
            <span aria-live="polite">
              <Spinner size="tiny" labelPosition="after" label={t("device.waiting")} />
            </span>
          </div>
          {prompt.expires && <Text className={styles.quiet}>{t("device.until", { time: when(prompt.expires) })}</Text>}
        </>
      )}
      {failure && <Failure failure={failure} service={request.service} organization={organization} />}
      <Refusal error={error} />
      {(failure || error) && (
        <div className={styles.line}>
          <Button onClick={again}>{t("device.fresh")}</Button>
        </div>
      )}
      <Text weight="semibold">{t("device.otherwise")}</Text>
      <div className={styles.line}>
        <Link onClick={onWindow}>{t("device.window")}</Link>
        <Link onClick={onOwnApp}>{t("device.ownApp")}</Link>
        <TextLink to="/apps">{t("device.consent")}</TextLink>
      </div>
    </Card>
  );
}
