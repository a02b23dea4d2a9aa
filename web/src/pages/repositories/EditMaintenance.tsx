import { Field, Input, makeStyles, mergeClasses, Select, tokens } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { refusedAt, useFormStyles } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { pathOf, type Schedule, send, type Task, type Tasks } from "./contract";
import { DAYS, options, rhythm, type Rhythm, schedule } from "./rhythm";

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

/** What is sent: times that were told are not part of it. */
function sent(tasks: Tasks): Tasks {
  const one = ({ schedule: times, read_percent }: Task, name: Name): Task => ({
    schedule: times,
    ...(name === "check" && { read_percent: read_percent ?? 0 }),
  });
  const of = (name: Name) => {
    const task = tasks[name];
    return task && one(task, name);
  };
  return { check: of("check"), prune: of("prune"), verify: of("verify") };
}

interface Props {
  name: string;
  tasks: Tasks;
  onClose: () => void;
}

export function EditMaintenance({ name, tasks: before, onClose }: Props) {
  const t = useTexts("repositories");
  const tell = useTell();
  const [tasks, setTasks] = useState(before);
  const path = `${pathOf(name)}/maintenance`;
  const body = sent(tasks);
  const save = useMutation({
    mutationFn: () => send<Tasks>("PUT", path, body),
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
          cli={["repository", "maintenance", "--repository", name, ...options(body)]}
          method="PUT"
          path={path}
          body={body}
        />
      }
      onSubmit={() => save.mutate()}
      onCancel={onClose}
    >
      {NAMES.map((one) => (
        <TaskFields
          key={one}
          name={one}
          task={tasks[one]}
          error={save.error}
          onChange={(task) => setTasks({ ...tasks, [one]: task })}
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
  const how = task && rhythm(task.schedule);
  const set = (next: Rhythm) => onChange({ ...task, schedule: schedule(next, task?.schedule ?? USUAL) });
  const choose = (every: string) => {
    const time = how && how.every !== "other" ? how.at : "06:00";
    if (every === "") onChange(null);
    else if (every === "day") set({ every, at: time });
    else if (every === "week") set({ every, at: time, day: "sat" });
    else if (every === "month") set({ every, at: time, day: "1" });
  };
  return (
    <fieldset className={mergeClasses(form.row, styles.task)}>
      <legend className={styles.name}>{t(`maintenance.task.${name}`)}</legend>
      <Field label={t("maintenance.rhythm")} {...at(`/${name}/schedule/when`)}>
        <Select value={how?.every ?? ""} onChange={(_, { value }) => choose(value)}>
          <option value="">{t("maintenance.off")}</option>
          {(["day", "week", "month"] as const).map((every) => (
            <option key={every} value={every}>
              {t(`maintenance.every.${every}`)}
            </option>
          ))}
          {how?.every === "other" && <option value="other">{t("maintenance.every.other", { words: how.words })}</option>}
        </Select>
      </Field>
      {how?.every === "week" && (
        <Field label={t("maintenance.day")}>
          <Select value={how.day} onChange={(_, { value }) => set({ ...how, day: value })}>
            {DAYS.map((day) => (
              <option key={day} value={day}>
                {t(`maintenance.days.${day}`)}
              </option>
            ))}
          </Select>
        </Field>
      )}
      {how?.every === "month" && (
        <Field label={t("maintenance.dayOfMonth")}>
          <Input type="number" min={1} max={31} value={how.day} onChange={(_, { value }) => set({ ...how, day: value })} />
        </Field>
      )}
      {how && how.every !== "other" && (
        <Field label={t("maintenance.at")}>
          <Input type="time" value={how.at} onChange={(_, { value }) => set({ ...how, at: value })} />
        </Field>
      )}
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
