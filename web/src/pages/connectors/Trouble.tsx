import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTexts } from "../../texts";
import { TROUBLES } from "./advice";
import "./texts";

const useStyles = makeStyles({
  list: { margin: 0, display: "grid", gap: tokens.spacingVerticalS },
  words: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** The messages that people meet while connecting, each with its cure (SRE-45 to SRE-52). */
export function Trouble() {
  const styles = useStyles();
  const t = useTexts("connectors");
  return (
    <Accordion collapsible>
      <AccordionItem value="trouble">
        <AccordionHeader as="h2">{t("trouble.title")}</AccordionHeader>
        <AccordionPanel>
          <Text block>{t("trouble.about")}</Text>
          <dl className={styles.list}>
            {TROUBLES.map((key) => (
              <div key={key}>
                <dt>
                  <Text weight="semibold">{t(`trouble.message.${key}`)}</Text>
                </dt>
                <dd className={styles.words}>{t(`advice.${key}`)}</dd>
              </div>
            ))}
          </dl>
        </AccordionPanel>
      </AccordionItem>
    </Accordion>
  );
}
