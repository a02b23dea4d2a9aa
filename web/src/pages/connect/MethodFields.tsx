import { Field, Input, Link, Option, Dropdown, Radio, RadioGroup } from "@fluentui/react-components";
import { useState } from "react";
import { useAll } from "../../components/all";
import { ExplainedRadio } from "../../components/ExplainedRadio";
import { useFormStyles } from "../../components/form";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { useMethods } from "./data";
import type { AppPick, Flow } from "./proof";
import "./texts";

interface Props {
  service: string;
  /** The methods that this kind of connector has; all of the service when absent. */
  only?: readonly string[] | undefined;
  method: string;
  onChange: (method: string) => void;
}

/** SRE-14: the two usual ways first, each with what it is good for and how long it lasts. */
export function MethodFields({ service, only, method, onChange }: Props) {
  const t = useTexts("connect");
  const methods = useMethods(service);
  const [more, setMore] = useState(false);
  return (
    <Loaded query={methods}>
      {(data) => {
        const fit = data.methods.filter(({ name }) => !only || only.includes(name));
        const others = fit.filter(({ first }) => !first);
        const all = more || only !== undefined || others.some(({ name }) => name === method);
        const shown = all ? fit : fit.filter(({ first }) => first);
        return (
          <div>
            <Field label={t("method.label")} required>
              <RadioGroup value={method} onChange={(_, { value }) => onChange(value)}>
                {shown.map(({ name, title, usage, life }) => (
                  <ExplainedRadio key={name} value={name} title={title} about={[usage, `${t("method.life")}: ${life}`]} />
                ))}
              </RadioGroup>
            </Field>
            {!only && others.length > 0 && !others.some(({ name }) => name === method) && (
              <Link onClick={() => setMore((before) => !before)} aria-expanded={all}>
                {t(all ? "method.fewer" : "method.others")}
              </Link>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

interface PersonProps {
  service: string;
  flow: Flow;
  onFlow: (flow: Flow) => void;
  app: AppPick;
  onApp: (change: Partial<AppPick>) => void;
}

const OTHER = "*other";
const OURS = "*own";

/** How a person signs in: where, and through which app. */
export function PersonFields({ service, flow, onFlow, app, onApp }: PersonProps) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const listed = useAll("/app-profiles", {}).items ?? [];
  const profiles = listed.filter((one) => one.service === service);
  const [other, setOther] = useState(app.clientId !== "");
  const title = other ? t("app.other") : app.profile || t("app.own");
  const pick = (value: string | undefined) => {
    setOther(value === OTHER);
    onApp({ profile: value === OTHER || value === OURS ? "" : (value ?? ""), clientId: "", tenant: "" });
  };
  return (
    <div className={form.form}>
      <Field label={t("flow.label")}>
        <RadioGroup layout="horizontal" value={flow} onChange={(_, { value }) => onFlow(value as Flow)}>
          <Radio value="code" label={t("flow.code")} />
          <Radio value="device-code" label={t("flow.device")} />
        </RadioGroup>
      </Field>
      <Field label={t("app.label")} hint={t("app.hint")}>
        <Dropdown
          value={title}
          selectedOptions={[other ? OTHER : app.profile || OURS]}
          onOptionSelect={(_, { optionValue }) => pick(optionValue)}
        >
          <Option value={OURS}>{t("app.own")}</Option>
          {profiles.map(({ name, tenant }) => (
            <Option key={name} value={name} text={name}>
              {`${name} (${tenant})`}
            </Option>
          ))}
          <Option value={OTHER}>{t("app.other")}</Option>
        </Dropdown>
      </Field>
      {other && (
        <div className={form.row}>
          <Field label={t("app.clientId")} required>
            <Input value={app.clientId} onChange={(_, { value }) => onApp({ clientId: value })} autoComplete="off" />
          </Field>
          <Field label={t("identity.tenant")} hint={t("identity.tenantHint")}>
            <Input value={app.tenant} onChange={(_, { value }) => onApp({ tenant: value })} autoComplete="off" />
          </Field>
        </div>
      )}
    </div>
  );
}
