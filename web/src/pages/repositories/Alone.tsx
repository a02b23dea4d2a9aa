import { Text } from "@fluentui/react-components";
import { Code } from "../../components/Code";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { restic } from "./restic";

/** How to get everything back when Keepward is gone. */
export function Alone({ location }: { location: string }) {
  const t = useTexts("repositories");
  return (
    <Section title={t("alone.title")} about={t("alone.about")}>
      <Code text={restic(location).join("\n")} />
      <Text>{t("alone.password")}</Text>
      <Text>{t("alone.links")}</Text>
    </Section>
  );
}
