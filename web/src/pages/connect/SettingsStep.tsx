import { Checkbox, Field, Radio, RadioGroup, SpinButton, Text } from "@fluentui/react-components";
import { useAll } from "../../components/all";
import { CredentialField } from "../vault/CredentialField";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { draftOf, forgets, rulesOf, ZERO } from "../policies/draft";
import { retentionWords } from "../policies/words";
import type { Pick } from "./machine";
import { NameField } from "./NameField";
import { ownKeep, PERIODS, type Settings } from "./settings";
import { SyncFields } from "./SyncFields";
import { usePoliciesFor, WorkerField } from "./WorkerField";

interface Props {
  picks: readonly Pick[];
  onName: (organization: string, name: string) => void;
  settings: Settings;
  onSettings: (change: Partial<Settings>) => void;
}

/** Names, new things, worker, access and retention, before anything is saved (K-10). */
export function SettingsStep({ picks, onName, settings, onSettings }: Props) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const first = picks[0]?.name ?? "";
  const lower = (name: string) => name.toLowerCase();
  const twice = (name: string) => picks.filter((pick) => lower(pick.name) === lower(name)).length > 1;
  return (
    <div className={`${form.form} ${form.narrow}`}>
      <Section title={t("settings.names")}>
        {picks.map(({ organization, name }) => (
          <NameField
            key={organization}
            label={picks.length > 1 ? `${t("name.label")}: ${organization}` : t("name.label")}
            value={name}
            onChange={(value) => onName(organization, value)}
            fault={twice(name) ? t("name.twice") : undefined}
          />
        ))}
      </Section>
      <Section title={t("settings.sync")}>
        <SyncFields sync={settings.sync} onChange={(sync) => onSettings({ sync })} />
      </Section>
      <Section title={t("settings.worker")}>
        <WorkerField connector={first} value={settings.worker} onChange={(worker) => onSettings({ worker })} />
        <RestoreField value={settings.restore} onChange={(restore) => onSettings({ restore })} />
      </Section>
      <Access people={settings.people} onChange={(people) => onSettings({ people })} />
      <Retention connector={first} keep={settings.keep} onChange={(keep) => onSettings({ keep })} />
    </div>
  );
}

/** An identity apart that may write, so that the one for backups only reads. */
export function RestoreField({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const t = useTexts("connect");
  return (
    <CredentialField
      label={t("settings.restore")}
      hint={t("settings.restoreHint")}
      none={t("settings.restoreSame")}
      value={value}
      onChange={onChange}
      fits={({ method }) => method !== "storage"}
    />
  );
}

/** Who reaches the new connector: everybody who reaches all, and those that are ticked. */
function Access({ people, onChange }: { people: readonly string[]; onChange: (people: string[]) => void }) {
  const t = useTexts("connect");
  const may = useMay("manage-people");
  const listed = useAll("/people", {}, may).items;
  if (!may || !listed) return null;
  const limited = listed.filter(({ connectors }) => connectors);
  const everywhere = listed.filter(({ connectors }) => !connectors).map(({ name }) => name);
  return (
    <Section title={t("settings.access")}>
      <Text>{limited.length === 0 ? t("settings.accessNone") : t("settings.accessHint")}</Text>
      {limited.length > 0 && <Text>{t("settings.accessAll", { names: everywhere.join(", ") })}</Text>}
      {limited.map(({ name }) => (
        <Checkbox
          key={name}
          label={name}
          checked={people.includes(name)}
          onChange={(_, { checked }) => onChange(checked === true ? [...people, name] : people.filter((one) => one !== name))}
        />
      ))}
    </Section>
  );
}

interface RetentionProps {
  connector: string;
  keep: Settings["keep"];
  onChange: (keep: Settings["keep"]) => void;
}

/** As the policy says that backs it up, or limited for this connector. */
function Retention({ connector, keep, onChange }: RetentionProps) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const policies = useTexts("policies");
  const may = useMay("manage-policies");
  const [policy] = usePoliciesFor(connector);
  if (!may || !policy) return null;
  const usual = ownKeep(policy);
  const policyWords = retentionWords(policies, draftOf(policy).retention);
  const ownWords = retentionWords(policies, rulesOf(keep ?? usual));
  return (
    <Section title={t("settings.retention")}>
      <Field>
        <RadioGroup value={keep ? "own" : "policy"} onChange={(_, { value }) => onChange(value === "own" ? usual : undefined)}>
          <Radio value="policy" label={`${t("settings.retentionPolicy", { policy: policy.name })}: ${policyWords}`} />
          <Radio value="own" label={`${t("settings.retentionOwn")}: ${ownWords}. ${t("settings.retentionOwnHint")}`} />
        </RadioGroup>
      </Field>
      {keep && (
        <Field
          label={t("settings.keep")}
          {...(!forgets(keep) && { validationState: "error", validationMessage: t("settings.keepFault") })}
        >
          <div className={form.row} role="group" aria-label={t("settings.keep")}>
            {PERIODS.map((period) => (
              <Count
                key={period}
                label={t(`settings.${period}`)}
                value={keep[period]}
                onChange={(wanted) => onChange({ ...keep, [period]: wanted })}
              />
            ))}
            <Count
              label={t("settings.within")}
              value={keep.within?.days ?? 0}
              onChange={(days) => onChange({ ...keep, within: { ...ZERO, ...keep.within, days } })}
            />
          </div>
        </Field>
      )}
    </Section>
  );
}

function Count({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <Field label={label}>
      <SpinButton
        min={0}
        max={3660}
        value={value}
        onChange={(_, { value: spun, displayValue }) => {
          const wanted = Number(spun ?? displayValue);
          if (Number.isInteger(wanted) && wanted >= 0) onChange(wanted);
        }}
      />
    </Field>
  );
}
