import { Button } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { Facts } from "../../components/Facts";
import { when } from "../../components/format";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { useScheduleWords } from "../policies/words";
import { EditMaintenance } from "./EditMaintenance";

const TASKS = ["check", "prune", "verify"] as const;

/** What is done for a repository by itself, and when next. */
export function Maintenance({ name }: { name: string }) {
  const t = useTexts("repositories");
  const may = useMay("manage-repositories");
  const query = api.useQuery("get", "/repositories/{name}/maintenance", { params: { path: { name } } });
  const [{ dialog }, show] = useShown();
  return (
    <Section
      title={t("maintenance.title")}
      about={t("maintenance.about")}
      actions={
        may && query.data && <Button onClick={() => show({ dialog: "maintenance" })}>{t("maintenance.edit")}</Button>
      }
    >
      <Loaded query={query}>
        {(tasks) => (
          <>
            <Facts facts={TASKS.map((task) => [t(`maintenance.task.${task}`), <Words key={task} task={tasks[task]} />])} />
            {may && dialog === "maintenance" && (
              <EditMaintenance name={name} tasks={tasks} onClose={() => show({ dialog: undefined })} />
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Words({ task }: { task: Schemas["ScheduledTask"] | null | undefined }) {
  const t = useTexts("repositories");
  const words = useScheduleWords();
  if (!task) return t("maintenance.off");
  const [next] = task.next;
  return (
    <>
      {words(task.schedule)}.{" "}
      {next && t("maintenance.next", { time: when(next) })}
      {task.fired && (
        <>
          {" "}
          {t("maintenance.fired")} <Time at={task.fired} />.
        </>
      )}
    </>
  );
}
