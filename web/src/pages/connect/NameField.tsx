import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import { listed } from "../../components/format";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { isName } from "./address";
import { useConnectors } from "./data";

/** What is wrong with a name: the rule first, then whether it is free, and whether the person would reach what has it. */
export function useNameFault(own?: string) {
  const t = useTexts("connect");
  const connectors = useConnectors();
  const reached = useMe().connectors;
  return (name: string): string | undefined => {
    if (!isName(name)) return t("name.fault");
    const taken = connectors.some((one) => one.name.toLowerCase() === name.toLowerCase() && one.name !== own);
    if (taken) return t("name.taken");
    const beyond = reached && !reached.some((one) => one.toLowerCase() === name.toLowerCase());
    return beyond ? t("name.beyond", { names: listed(reached) }) : undefined;
  };
}

interface Props {
  label?: string;
  value: string;
  onChange: (name: string) => void;
  /** The name that the connector has: it is taken by none other. */
  own?: string;
  /** Something else that is wrong with it. */
  fault?: string | undefined;
  /** One is made where it stays empty. */
  optional?: boolean;
}

/** The name of a connector, with its rule; says at once what is wrong. */
export function NameField({ label, value, onChange, own, fault, optional = false }: Props) {
  const t = useTexts("connect");
  const faultOf = useNameFault(own);
  const [left, setLeft] = useState(false);
  // Not before it was typed: an empty form is no mistake.
  const silent = value === "" && (optional || !left);
  const wrong = silent ? undefined : (faultOf(value) ?? fault);
  const taken = wrong === t("name.taken");
  return (
    <Field
      label={label ?? t("name.label")}
      required={!optional}
      hint={t("name.hint")}
      validationState={wrong ? "error" : "none"}
      validationMessage={
        taken ? (
          <>
            <span>{wrong}</span>
            <div>{t("name.takenAdvice")}</div>
          </>
        ) : (
          wrong
        )
      }
    >
      <Input value={value} onBlur={() => setLeft(true)} onChange={(_, data) => onChange(data.value)} autoComplete="off" spellCheck={false} />
    </Field>
  );
}
