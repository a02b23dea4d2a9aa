import { Field, Input, Select } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { useFormStyles, wrong } from "../../components/form";
import { useTexts } from "../../texts";

export type Lock = Schemas["ObjectLockBody"];

interface Props {
  lock: Lock | null;
  onChange: (lock: Lock | null) => void;
  refused?: string | undefined;
}

/** Whether and how long what is written cannot be changed or removed. */
export function LockFields({ lock, onChange, refused }: Props) {
  const t = useTexts("repositories");
  const form = useFormStyles();
  const mode = (value: string) => onChange(value === "" ? null : { mode: value as Lock["mode"], days: lock?.days ?? 30 });
  return (
    <div className={form.row}>
      <Field label={t("form.lock")} hint={t("form.lockHint")}>
        <Select value={lock?.mode ?? ""} onChange={(_, { value }) => mode(value)}>
          <option value="">{t("form.lockOff")}</option>
          <option value="governance">{t("form.governance")}</option>
          <option value="compliance">{t("form.compliance")}</option>
        </Select>
      </Field>
      {lock && (
        <Field label={t("form.days")} required {...wrong(refused)}>
          <Input
            type="number"
            min={1}
            max={3660}
            value={String(lock.days)}
            onChange={(_, { value }) => onChange({ ...lock, days: Number(value) })}
          />
        </Field>
      )}
    </div>
  );
}
