import { Field, Input, makeStyles, mergeClasses, Select, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { refusedAt, useFormStyles } from "../../components/form";
import { weekday } from "../../components/format";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { DAYS } from "../policies/days";
import { useScheduleWords } from "../policies/words";
import { options, rhythm, type Rhythm, schedule } from "./rhythm";

type Tasks = Omit<Schemas["SetMaintenance"], "version">;
type Task = Schemas["SetTask"] & Partial<Schemas["SetCheck"]>;
type Schedule = Schemas["Schedule"];
type Name = keyof Tasks;

const NAMES: Name[] = ["check", "prune", "verify"];
const SHOWN = NAMES.flatMap((name) => [`/${name}/schedule/when`, `/${name}/schedule/time_zone`, `/${name}/read_percent`]);

/** What a task begins with when it is switched on. */
const USUAL: Schedule = {
  when: { every: "hours", at: ["06:00"], days: ["sat"] },
  time_zone: "UTC",
  jitter_minutes: 300,
  missed: "run-once",
  window: null,
};

/** What is sent: times that were told are not part of it, and what is switched off is there as such. */
function sent({ check, prune, verify }: Schemas["MaintenanceView"]): Tasks {
  const plain = (task: Task | null | undefined) => (task ? { schedule: task.schedule } : null);
  return {
    check: check ? { schedule: check.schedule, read_percent: check.read_percent } : null,
    prune: plain(prune),
    verify: plain(verify),
  };
}

interface Props {
  name: string;
  tasks: Schemas["MaintenanceView"];
  onClose: () => void;
}

export function EditMaintenance({ name, tasks: before, onClose }: Props) {
  const t = useTexts("repositories");
  const tell = useTell();
  const [body, setBody] = useState(() => sent(before));
  const [version] = useState(before.version);
  const words = options(body);
  const save = api.useMutation("put", "/repositories/{name}/maintenance", {
    onSuccess: () => {
      tell(t("maintenance.saved", { name }));
      onClose();
    },
  });
  return (
    <FormDialog
      title={t("maintenance.form", { name })}
      submit={save.isPending ? t("form.busy") : t("form.save")}
      busy={save.isPending}
      error={save.error}
      fields={SHOWN}
      showAs={
        <ShowAs
          cli={words && ["repository", "maintenance", "--repository", name, ...words]}
          method="PUT"
          path={`/repositories/${encodeURIComponent(name)}/maintenance`}
          body={body}
        />
      }
      onSubmit={() => save.mutate({ params: { path: { name } }, body: { ...body, version } })}
      onCancel={onClose}
    >
      {NAMES.map((one) => (
        <TaskFields
          key={one}
          name={one}
          task={body[one]}
          error={save.error}
          onChange={(task) => setBody({ ...body, [one]: task })}
        />
      ))}
    </FormDialog>
  );
}

const useStyles = makeStyles({
  task: { margin: 0, padding: 0, border: "none", minWidth: 0 },
  name: { padding: 0, fontWeight: tokens.fontWeightSemibold },
});

interface TaskProps {
  name: Name;
  task: Task | null;
  error: unknown;
  onChange: (task: Task | null) => void;
}

function TaskFields({ name, task, error, onChange }: TaskProps) {
  const t = useTexts("repositories");
  const form = useFormStyles();
  const styles = useStyles();
  const at = refusedAt(error);
  const fresh = name === "check" ? { read_percent: 0 } : {};
  const set = (next: Rhythm) => onChange({ ...fresh, ...task, schedule: schedule(next, task?.schedule ?? USUAL) });
  return (
    <fieldset className={mergeClasses(form.row, styles.task)}>
      <legend className={styles.name}>{t(`maintenance.task.${name}`)}</legend>
      <RhythmFields of={task?.schedule} onChange={set} onOff={() => onChange(null)} refused={at(`/${name}/schedule/when`)} />
      {task && (
        <Field label={t("maintenance.zone")} {...at(`/${name}/schedule/time_zone`)}>
          <Input
            value={task.schedule.time_zone}
            onChange={(_, { value }) => onChange({ ...task, schedule: { ...task.schedule, time_zone: value } })}
          />
        </Field>
      )}
      {task && name === "check" && (
        <Field label={t("maintenance.percent")} {...at("/check/read_percent")}>
          <Input
            type="number"
            min={0}
            max={100}
            value={String(task.read_percent ?? 0)}
            onChange={(_, { value }) => onChange({ ...task, read_percent: Number(value) })}
          />
        </Field>
      )}
    </fieldset>
  );
}

interface RhythmProps {
  /** Nothing while the task is off. */
  of: Schedule | undefined;
  onChange: (rhythm: Rhythm) => void;
  onOff: () => void;
  refused: object;
}

/** How often, and when then. What only the command line can say stays as it is until something else is chosen. */
function RhythmFields({ of, onChange, onOff, refused }: RhythmProps) {
  const t = useTexts("repositories");
  const words = useScheduleWords();
  const how = of && rhythm(of);
  const choose = (every: string) => {
    const at = how && how.every !== "other" ? how.at : "06:00";
    if (every === "") onOff();
    else if (every === "day") onChange({ every, at });
    else if (every === "week") onChange({ every, at, day: "sat" });
    else if (every === "month") onChange({ every, at, day: "1" });
  };
  return (
    <>
      <Field label={t("maintenance.rhythm")} {...refused}>
        <Select value={how?.every ?? ""} onChange={(_, { value }) => choose(value)}>
          <option value="">{t("maintenance.off")}</option>
          {(["day", "week", "month"] as const).map((every) => (
            <option key={every} value={every}>
              {t(`maintenance.every.${every}`)}
            </option>
          ))}
          {of && how?.every === "other" && <option value="other">{words(of)}</option>}
        </Select>
      </Field>
      {how?.every === "week" && (
        <Field label={t("maintenance.day")}>
          <Select value={how.day} onChange={(_, { value }) => onChange({ ...how, day: value })}>
            {DAYS.map((day, number) => (
              <option key={day} value={day}>
                {weekday(number)}
              </option>
            ))}
          </Select>
        </Field>
      )}
      {how?.every === "month" && (
        <Field label={t("maintenance.dayOfMonth")}>
          <Input type="number" min={1} max={31} value={how.day} onChange={(_, { value }) => onChange({ ...how, day: value })} />
        </Field>
      )}
      {how && how.every !== "other" && (
        <Field label={t("maintenance.at")}>
          <Input type="time" value={how.at} onChange={(_, { value }) => onChange({ ...how, at: value })} />
        </Field>
      )}
    </>
  );
}
