import { makeStyles, Text, tokens } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Unplaced } from "../../components/Unplaced";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { adviceFor, toneOf } from "./advice";
import "./texts";

const useStyles = makeStyles({
  standing: { display: "flex", flexDirection: "column", alignItems: "flex-start", gap: "2px" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

/** How a connector stands: why it does not work, and what to do about it. */
export function Standing({ connector: { name, status, address_error: unplaced } }: { connector: Schemas["ConnectorView"] }) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  const advice = adviceFor(status.why);
  return (
    <span className={styles.standing}>
      <StatusBadge tone={toneOf(status.state)}>{status.title}</StatusBadge>
      {status.why && <Text size={200}>{status.why}</Text>}
      {advice && (
        <Text size={200} className={styles.quiet}>
          {t(`advice.${advice}`)}
        </Text>
      )}
      <Unplaced why={unplaced} />
      {may && status.state === "sign-in-needed" && (
        <TextLink to="/connectors/$name/sign-in" params={{ name }}>
          {t("row.signIn")}
        </TextLink>
      )}
    </span>
  );
}
