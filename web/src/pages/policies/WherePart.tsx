import { Dropdown, Field, Option, Select, Switch } from "@fluentui/react-components";
import { api } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { MEGABYTE, rate, whole } from "./draft";
import type { Editing } from "./editing";
import { Typed } from "./Typed";
import "./texts";

/** Where its snapshots go, who makes them, and how much they may take. */
export function WherePart({ draft, change, at }: Editing) {
  const styles = useFormStyles();
  const t = useTexts("policies");
  const me = useMe();
  const { limits } = draft;
  const speed = limits.bytes_per_second;
  return (
    <Section title={t("where.title")}>
      <div className={styles.row}>
        <Repository draft={draft} change={change} at={at} />
        <Workers draft={draft} change={change} at={at} />
        <Typed
          label={t("where.runs")}
          hint={t("where.runsHint")}
          numbers="whole"
          initial={limits.runs === null ? "" : String(limits.runs)}
          onText={(text) => change({ limits: { ...limits, runs: whole(text, null) } })}
          wrong={at("/limits/runs")}
        />
        <Typed
          label={t("where.rate")}
          hint={t("where.rateHint")}
          numbers="decimal"
          initial={speed === null ? "" : String(speed / MEGABYTE)}
          onText={(text) => change({ limits: { ...limits, bytes_per_second: rate(text) } })}
          wrong={at("/limits/bytes_per_second")}
        />
      </div>
      <Field hint={me.four_eyes ? t("where.fourEyesServer") : t("where.fourEyesHint")}>
        <Switch
          label={t("where.fourEyes")}
          checked={draft.four_eyes}
          onChange={(_, { checked }) => change({ four_eyes: checked })}
        />
      </Field>
    </Section>
  );
}

function Repository({ draft, change, at }: Editing) {
  const t = useTexts("policies");
  const { data } = api.useQuery("get", "/repositories");
  const all = data?.items ?? [];
  const usual = all.find((one) => one.default)?.name;
  const gone = draft.repository !== null && data !== undefined && !all.some(({ name }) => name === draft.repository);
  return (
    <Field label={t("where.repository")} hint={t("where.repositoryHint")} {...at("/repository")}>
      <Select value={draft.repository ?? ""} onChange={(_, { value }) => change({ repository: value || null })}>
        <option value="">{usual === undefined ? t("defaultRepository") : t("defaultRepositoryNamed", { name: usual })}</option>
        {(gone || data === undefined) && draft.repository !== null && <option value={draft.repository}>{draft.repository}</option>}
        {all.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </Select>
    </Field>
  );
}

function Workers({ draft, change, at }: Editing) {
  const t = useTexts("policies");
  const { data } = api.useQuery("get", "/workers");
  const labels = (data?.items ?? []).flatMap((worker) => [worker.name, ...worker.labels]);
  const all = [...new Set([...labels, ...draft.worker])].toSorted();
  return (
    <Field label={t("where.worker")} hint={t("where.workerHint")} {...at("/worker")}>
      <Dropdown
        style={{ minWidth: 0 }}
        multiselect
        placeholder={t("where.workerAny")}
        value={draft.worker.join(", ")}
        selectedOptions={draft.worker}
        onOptionSelect={(_, { selectedOptions }) => change({ worker: selectedOptions })}
      >
        {all.map((label) => (
          <Option key={label} value={label}>
            {label}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}
