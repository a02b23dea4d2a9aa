import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import "./texts";

const useStyles = makeStyles({
  list: { margin: 0, paddingLeft: "20px", display: "grid", gap: tokens.spacingVerticalXS, maxWidth: "90ch" },
});

/** AV-11: said plainly where no narrower permission exists. */
export function Narrower({ service }: { service: string }) {
  const styles = useStyles();
  const t = useTexts("apps");
  const lines = t(service === "microsoft-365" ? "permissions.narrowerMicrosoft" : "permissions.narrowerDevops", { returnObjects: true }) as string[];
  return (
    <Section title={t("permissions.narrower")}>
      <ul className={styles.list}>
        {lines.map((line) => (
          <li key={line}>
            <Text>{line}</Text>
          </li>
        ))}
      </ul>
    </Section>
  );
}
