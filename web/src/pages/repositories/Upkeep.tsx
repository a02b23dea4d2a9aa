import { Button, Field, Input, makeStyles, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { refusedAt, useFormStyles } from "../../components/form";
import { bytes } from "../../components/format";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { damage } from "../runs/result";
import { ended, isOpen, type Run } from "../runs/standing";
import { Mend } from "./Mend";
import { type Freed, freed } from "./result";

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "end", gap: tokens.spacingHorizontalM },
});

/** Check and prune by hand. The runs that were started are in the address, so that coming back finds them. */
export function Upkeep({ name }: { name: string }) {
  return (
    <>
      <Check name={name} />
      <Prune name={name} />
    </>
  );
}

function useRun(id: string | undefined) {
  const query = api.useQuery(
    "get",
    "/runs/{id}",
    { params: { path: { id: id ?? "" } } },
    // Events tell of each change; this is for whoever lost them.
    { enabled: id !== undefined, refetchInterval: ({ state: { data } }) => (data && isOpen(data) ? 5_000 : false) },
  );
  return query.data;
}

function Check({ name }: { name: string }) {
  const t = useTexts("repositories");
  const styles = useStyles();
  const [percent, setPercent] = useState("0");
  const [shown, show] = useShown();
  const start = api.useMutation("post", "/repositories/{name}/check", { onSuccess: ({ id }) => show({ check: id }) });
  const run = useRun(shown["check"]);
  const busy = start.isPending || (run !== undefined && isOpen(run));
  const body = { read_percent: Number(percent) };
  return (
    <Section title={t("upkeep.check")} about={t("upkeep.checkAbout")}>
      <form
        className={styles.line}
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) start.mutate({ params: { path: { name } }, body });
        }}
      >
        <Field label={t("upkeep.percent")} {...refusedAt(start.error)("/read_percent")}>
          <Input type="number" min={0} max={100} value={percent} onChange={(_, { value }) => setPercent(value)} />
        </Field>
        <Button type="submit" disabled={busy}>
          {t("upkeep.checkNow")}
        </Button>
        <ShowAs
          cli={["repository", "check", "--repository", name, ...(body.read_percent ? [`--read-data=${percent}%`] : [])]}
          method="POST"
          path={`/repositories/${encodeURIComponent(name)}/check`}
          body={body}
        />
      </form>
      <Refusal error={start.error} fields={["/read_percent"]} />
      {run && (
        <Outcome run={run} intent="success">
          {t("upkeep.clean")}
        </Outcome>
      )}
      {run && ended(run) === "damaged" && <Mend name={name} />}
    </Section>
  );
}

function Prune({ name }: { name: string }) {
  const t = useTexts("repositories");
  const styles = useStyles();
  const form = useFormStyles();
  const [shown, show] = useShown();
  const start = api.useMutation("post", "/repositories/{name}/prune", { onSuccess: ({ id }) => show({ prune: id }) });
  const run = useRun(shown["prune"]);
  const busy = start.isPending || (run !== undefined && isOpen(run));
  const params = { path: { name } };
  const [asking, setAsking] = useState(false);
  const dry = (run?.result as { dry_run?: boolean } | undefined)?.dry_run === true;
  const found = freed(run?.result);
  const gains = dry && found !== undefined && found.bytes_freed > 0;
  return (
    <Section title={t("upkeep.prune")} about={t("upkeep.pruneAbout")}>
      <div className={styles.line}>
        <Button disabled={busy} onClick={() => start.mutate({ params, body: { dry_run: true } })}>
          {t("upkeep.look")}
        </Button>
        {gains && (
          <Button appearance="primary" disabled={busy} onClick={() => setAsking(true)}>
            {t("upkeep.pruneNow", { bytes: bytes(found.bytes_freed) })}
          </Button>
        )}
        <ShowAs
          cli={["repository", "prune", "--repository", name, ...(gains ? [] : ["--dry-run"])]}
          method="POST"
          path={`/repositories/${encodeURIComponent(name)}/prune`}
          body={{ dry_run: !gains }}
        />
      </div>
      <Refusal error={asking ? undefined : start.error} />
      {run && (
        <Outcome run={run} intent={dry ? "info" : "success"}>
          {found && <PruneWords found={found} dry={dry} />}
        </Outcome>
      )}
      {asking && found && (
        <ConfirmDialog
          title={t("upkeep.askPrune", { name, bytes: bytes(found.bytes_freed) })}
          action={t("upkeep.pruneNow", { bytes: bytes(found.bytes_freed) })}
          busy={start.isPending}
          error={start.error}
          onConfirm={() => start.mutate({ params, body: { dry_run: false } }, { onSuccess: () => setAsking(false) })}
          onCancel={() => setAsking(false)}
        >
          <div className={form.form}>{t("upkeep.askPruneAbout")}</div>
        </ConfirmDialog>
      )}
    </Section>
  );
}

function PruneWords({ found, dry }: { found: Freed; dry: boolean }) {
  const t = useTexts("repositories");
  const sizes = { freed: bytes(found.bytes_freed), before: bytes(found.bytes_before) };
  if (dry && found.bytes_freed === 0) return t("upkeep.nothing");
  return (
    <>
      {dry ? t("upkeep.would", { ...sizes, removed: found.packs_removed, repacked: found.packs_repacked }) : t("upkeep.freed", sizes)}{" "}
      {found.packs_locked > 0 && t("upkeep.locked", { count: found.packs_locked })}
    </>
  );
}

interface OutcomeProps {
  run: Run;
  /** How it is told when the run did its work and found nothing bad. */
  intent: "success" | "info";
  children: React.ReactNode;
}

/** What became of the run, said aloud when it changes. */
function Outcome({ run, intent, children }: OutcomeProps) {
  const t = useTexts("repositories");
  const end = ended(run) ?? "running";
  const other: Record<string, ["info" | "warning" | "error", string]> = {
    running: ["info", t("upkeep.running")],
    canceled: ["warning", t("upkeep.canceled")],
    failed: ["error", t("upkeep.failed", { error: run.error ?? "" })],
    damaged: ["error", t("upkeep.damage", { count: damage(run) })],
  };
  const [told, words] = other[end] ?? [intent, children];
  return (
    <MessageBar intent={told} layout="multiline" role="status">
      <MessageBarBody>
        {words}{" "}
        <TextLink to="/runs/$id" params={{ id: run.id }} inline>
          {t("upkeep.open")}
        </TextLink>
      </MessageBarBody>
    </MessageBar>
  );
}
