import { Field, Input, Radio, RadioGroup, Switch } from "@fluentui/react-components";
import { useFormStyles } from "../../components/form";
import { useTexts } from "../../texts";
import { hoursOf, minutesOf, type Sync } from "./sync";
import "./texts";

/** Whether new repositories, projects and users come into the backup by themselves, and when they are looked for (XA-10, XA-11). */
export function SyncFields({ sync, onChange }: { sync: Sync; onChange: (sync: Sync) => void }) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const set = (change: Partial<Sync>) => onChange({ ...sync, ...change });
  const badHours = sync.by === "hours" && !hoursOf(sync.hours);
  const badInterval = sync.by === "interval" && minutesOf(sync.interval) === undefined;
  return (
    <div className={form.form}>
      <Field hint={t("settings.addNewHint")}>
        <Switch label={t("settings.addNew")} checked={sync.addNew} onChange={(_, { checked }) => set({ addNew: checked })} />
      </Field>
      <Field label={t("settings.look")}>
        <RadioGroup layout="horizontal" value={sync.by} onChange={(_, { value }) => set({ by: value as Sync["by"] })}>
          <Radio value="hours" label={t("settings.byHours")} />
          <Radio value="interval" label={t("settings.byInterval")} />
        </RadioGroup>
      </Field>
      {sync.by === "hours" ? (
        <div className={form.row}>
          <Field
            label={t("settings.hours")}
            hint={t("settings.hoursHint")}
            {...(badHours && { validationState: "error", validationMessage: t("settings.hoursFault") })}
          >
            <Input value={sync.hours} onChange={(_, { value }) => set({ hours: value })} />
          </Field>
          <Field label={t("settings.timeZone")} hint={t("settings.timeZoneHint")}>
            <Input value={sync.timeZone} onChange={(_, { value }) => set({ timeZone: value })} />
          </Field>
        </div>
      ) : (
        <Field
          label={t("settings.interval")}
          hint={t("settings.intervalHint")}
          {...(badInterval && { validationState: "error", validationMessage: t("settings.intervalFault") })}
        >
          <Input type="number" value={sync.interval} onChange={(_, { value }) => set({ interval: value })} />
        </Field>
      )}
    </div>
  );
}
