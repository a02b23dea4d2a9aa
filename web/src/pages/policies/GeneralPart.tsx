import { Checkbox, Field, makeStyles, Radio, RadioGroup, Switch } from "@fluentui/react-components";
import { useState } from "react";
import { useAll } from "../../components/all";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { lines } from "./draft";
import type { Editing } from "./editing";
import { Typed } from "./Typed";
import "./texts";

const useStyles = makeStyles({
  // There may be hundreds.
  connectors: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fill, minmax(min(200px, 100%), 1fr))",
    maxHeight: "280px",
    overflowY: "auto",
  },
});

/** Its name, whether it runs by itself, and whom it is for. */
export function GeneralPart({ draft, change, at }: Editing) {
  const styles = useFormStyles();
  const t = useTexts("policies");
  return (
    <Section title={t("general.title")}>
      <Typed
        label={t("general.name")}
        hint={t("general.nameHint")}
        initial={draft.name}
        onText={(name) => change({ name })}
        wrong={at("/name")}
      />
      <Field hint={t("general.enabledHint")}>
        <Switch
          label={t("general.enabled")}
          checked={draft.enabled}
          onChange={(_, { checked }) => change({ enabled: checked })}
        />
      </Field>
      <div className={styles.form}>
        <Connectors draft={draft} change={change} at={at} />
      </div>
    </Section>
  );
}

function Connectors({ draft, change, at }: Editing) {
  const own = useStyles();
  const t = useTexts("policies");
  const { items } = useAll("/connectors", {});
  const [named, setNamed] = useState(draft.connectors.length > 0);
  const known = (items ?? []).map(({ name }) => name);
  const isKnown = (text: string) => known.some((name) => name.toLowerCase() === text.toLowerCase());
  const isChosen = (name: string) => draft.connectors.some((one) => one.toLowerCase() === name.toLowerCase());
  const others = draft.connectors.filter((one) => !isKnown(one));
  const toggle = (name: string, on: boolean) => {
    const rest = draft.connectors.filter((one) => one.toLowerCase() !== name.toLowerCase());
    change({ connectors: on ? [...rest, name] : rest });
  };
  return (
    <>
      <Field label={t("general.connectors")} {...at("/connectors")}>
        <RadioGroup
          value={named ? "named" : "rest"}
          onChange={(_, { value }) => {
            setNamed(value === "named");
            if (value === "rest") change({ connectors: [] });
          }}
        >
          <Radio value="rest" label={t("general.connectorsRest")} />
          <Radio value="named" label={t("general.connectorsNamed")} />
        </RadioGroup>
      </Field>
      {named && items && (
        <>
          <div role="group" aria-label={t("general.connectorsList")} className={own.connectors} tabIndex={0}>
            {known.map((name) => (
              <Checkbox
                key={name}
                label={name}
                checked={isChosen(name)}
                onChange={(_, { checked }) => toggle(name, checked === true)}
              />
            ))}
          </div>
          <Typed
            label={known.length > 0 ? t("general.addPattern") : t("general.patterns")}
            hint={t("general.patternsHint")}
            initial={others.join("\n")}
            rows={2}
            onText={(text) => change({ connectors: [...draft.connectors.filter(isKnown), ...lines(text)] })}
          />
        </>
      )}
    </>
  );
}
