import { Checkbox, Field, Radio, RadioGroup, Text } from "@fluentui/react-components";
import { useAll } from "../../components/all";
import { wrong } from "../../components/form";
import { useTexts } from "../../texts";
import "./texts";

interface Props {
  /** `null` for all connectors. */
  connectors: string[] | null;
  onChange: (connectors: string[] | null) => void;
  /** The ones that can be chosen; those that the person reaches who asks, when absent. */
  among?: readonly string[] | undefined;
  refused?: string | undefined;
}

/** Which connectors somebody or something reaches. */
export function ReachFields({ connectors, onChange, among, refused }: Props) {
  const t = useTexts("people");
  const listed = useAll("/connectors", {}, among === undefined).items ?? [];
  // Those that are chosen stay to be seen, also when they are gone.
  const names = [...new Set([...(among ?? listed.map(({ name }) => name)), ...(connectors ?? [])])];
  const toggle = (name: string, on: boolean) =>
    onChange(on ? [...(connectors ?? []), name] : (connectors ?? []).filter((one) => one !== name));
  return (
    <>
      <Field label={t("form.reach")} {...wrong(refused ?? (connectors?.length === 0 ? t("form.reachNone") : undefined))}>
        <RadioGroup value={connectors ? "some" : "all"} onChange={(_, { value }) => onChange(value === "all" ? null : [])}>
          <Radio value="all" label={t("form.reachAll")} />
          <Radio value="some" label={t("form.reachSome")} />
        </RadioGroup>
      </Field>
      {connectors && (
        <div role="group" aria-label={t("form.reachSome")}>
          {names.length === 0 && <Text>{t("form.noConnectors")}</Text>}
          {names.map((name) => (
            <Checkbox
              key={name}
              label={name}
              checked={connectors.includes(name)}
              onChange={(_, { checked }) => toggle(name, checked === true)}
            />
          ))}
        </div>
      )}
    </>
  );
}
