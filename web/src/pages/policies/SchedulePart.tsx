import { Combobox, Field, makeStyles, Option, Radio, RadioGroup, Select, Switch } from "@fluentui/react-components";
import { useState } from "react";
import { Choices } from "../../components/Choices";
import { useFormStyles } from "../../components/form";
import { weekday } from "../../components/format";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { DAYS } from "./days";
import { parts, type Schedule, type When, whole } from "./draft";
import type { At, Editing } from "./editing";
import { Typed } from "./Typed";
import "./texts";

const useStyles = makeStyles({
  zone: { minWidth: 0, "& input": { minWidth: 0, width: "100%" } },
});

/** What each way begins with. */
const WAYS: Record<When["every"], When> = {
  hours: { every: "hours", at: ["22:00"], days: [] },
  interval: { every: "interval", minutes: 240 },
  cron: { every: "cron", expression: "0 22 * * *" },
  manual: { every: "manual" },
};

interface PartProps {
  schedule: Schedule;
  set: (part: Partial<Schedule>) => void;
  at: At;
}

/** When it runs. */
export function SchedulePart({ draft, change, at }: Editing) {
  const styles = useFormStyles();
  const t = useTexts("policies");
  const { schedule } = draft;
  const set = (part: Partial<Schedule>) => change({ schedule: { ...schedule, ...part } });
  const byHand = schedule.when.every === "manual";
  return (
    <Section title={t("schedule.title")}>
      <RadioGroup
        aria-label={t("schedule.every")}
        value={schedule.when.every}
        onChange={(_, { value }) => set({ when: WAYS[value as When["every"]] })}
      >
        {(["hours", "interval", "cron", "manual"] as const).map((way) => (
          <Radio key={way} value={way} label={t(`schedule.${way}`)} />
        ))}
      </RadioGroup>
      <Way schedule={schedule} set={set} at={at} />
      {!byHand && (
        <>
          <div className={styles.row}>
            <Zone schedule={schedule} set={set} at={at} />
            <Typed
              label={t("schedule.jitter")}
              hint={t("schedule.jitterHint")}
              numbers="whole"
              initial={String(schedule.jitter_minutes)}
              onText={(text) => set({ jitter_minutes: whole(text, 0) })}
              wrong={at("/schedule/jitter_minutes")}
            />
            <Field label={t("schedule.missed")} hint={t("schedule.missedHint")}>
              <Select value={schedule.missed} onChange={(_, { value }) => set({ missed: value as Schedule["missed"] })}>
                {(["run-once", "skip", "catch-up"] as const).map((missed) => (
                  <option key={missed} value={missed}>
                    {t(`schedule.missedKind.${missed}`)}
                  </option>
                ))}
              </Select>
            </Field>
          </div>
          <Window schedule={schedule} set={set} at={at} />
        </>
      )}
    </Section>
  );
}

function Way({ schedule: { when }, set, at }: PartProps) {
  const t = useTexts("policies");
  if (when.every === "interval") {
    return (
      <Typed
        label={t("schedule.minutes")}
        hint={t("schedule.minutesHint")}
        numbers="whole"
        initial={String(when.minutes)}
        onText={(text) => set({ when: { every: "interval", minutes: whole(text, 0) } })}
        wrong={at("/schedule/when")}
      />
    );
  }
  if (when.every === "cron") {
    return (
      <Typed
        label={t("schedule.expression")}
        hint={t("schedule.expressionHint")}
        initial={when.expression}
        onText={(expression) => set({ when: { every: "cron", expression } })}
        wrong={at("/schedule/when")}
      />
    );
  }
  if (when.every !== "hours") return null;
  return (
    <>
      <Typed
        label={t("schedule.at")}
        hint={t("schedule.atHint")}
        initial={when.at.join(", ")}
        onText={(text) => set({ when: { ...when, at: parts(text) } })}
        wrong={at("/schedule/when")}
      />
      <Choices
        label={t("schedule.days")}
        hint={t("schedule.daysHint")}
        inRow
        of={DAYS}
        chosen={(when.days ?? []).map((day) => day.toLowerCase())}
        onChange={(days) => set({ when: { ...when, days } })}
        words={(day) => weekday(DAYS.indexOf(day))}
      />
    </>
  );
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];
const MOST = 40;

function Zone({ schedule, set, at }: PartProps) {
  const styles = useStyles();
  const t = useTexts("policies");
  // While someone types it is no zone yet.
  const [typed, setTyped] = useState<string>();
  const text = (typed ?? "").trim().toLowerCase().replaceAll(" ", "_");
  const found = ZONES.filter((zone) => zone.toLowerCase().includes(text)).slice(0, MOST);
  const take = (zone: string) => {
    setTyped(undefined);
    set({ time_zone: zone });
  };
  return (
    <Field label={t("schedule.zone")} hint={t("schedule.zoneHint")} {...at("/schedule/time_zone")}>
      <Combobox
        className={styles.zone}
        freeform
        value={typed ?? schedule.time_zone}
        selectedOptions={[schedule.time_zone]}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => typed !== undefined && take(found.find((zone) => zone.toLowerCase() === text) ?? typed.trim())}
        onOptionSelect={(_, { optionValue }) => optionValue !== undefined && take(optionValue)}
      >
        {found.map((zone) => (
          <Option key={zone} value={zone}>
            {zone}
          </Option>
        ))}
      </Combobox>
    </Field>
  );
}

function Window({ schedule, set, at }: PartProps) {
  const styles = useFormStyles();
  const t = useTexts("policies");
  const { window } = schedule;
  return (
    <>
      <Switch
        label={t("schedule.windowed")}
        checked={window !== null}
        onChange={(_, { checked }) => set({ window: checked ? { from: "20:00", to: "06:00" } : null })}
      />
      {window && (
        <div className={styles.row}>
          <Typed
            label={t("schedule.from")}
            type="time"
            initial={window.from}
            onText={(from) => set({ window: { ...window, from } })}
            wrong={at("/schedule/window/from")}
          />
          <Typed
            label={t("schedule.to")}
            type="time"
            initial={window.to}
            onText={(to) => set({ window: { ...window, to } })}
            wrong={at("/schedule/window/to")}
          />
        </div>
      )}
    </>
  );
}
