import { Body1 } from "@fluentui/react-components";
import { Code } from "../../components/Code";
import { useFormStyles } from "../../components/form";
import { quoted } from "../../components/quoted";
import { useTexts } from "../../texts";
import "./texts";

/** What to do about damage in a repository. */
export function Mend({ name }: { name: string }) {
  const form = useFormStyles();
  const t = useTexts("repositories");
  const repair = (what: string) => `keepward repository repair ${what} --repository ${quoted(name)}`;
  return (
    <div className={form.form}>
      <Body1>{t("mend.copy")}</Body1>
      <Body1>{t("mend.repair")}</Body1>
      <Code text={[repair("index --read-data"), repair("snapshots")].join("\n")} />
      <Body1>{t("mend.then")}</Body1>
    </div>
  );
}
