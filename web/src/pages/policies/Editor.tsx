import { Button, makeStyles, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Refusal } from "../../components/Refusal";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { sayable, words } from "./cli";
import { bodyOf, type Draft } from "./draft";
import { useSettled } from "../../components/settled";
import { countWrong, type Editing, wrongAt } from "./editing";
import { GeneralPart } from "./GeneralPart";
import { RetentionPart } from "./RetentionPart";
import { RetentionPreview } from "./RetentionPreview";
import { SchedulePart } from "./SchedulePart";
import { SchedulePreview, usePreview } from "./SchedulePreview";
import { SelectionPart } from "./SelectionPart";
import { WherePart } from "./WherePart";
import "./texts";

const WIDE = "@media (min-width: 1200px)";

const useStyles = makeStyles({
  frame: {
    display: "grid",
    gap: tokens.spacingHorizontalXXXL,
    gridTemplateColumns: "minmax(0, 1fr)",
    [WIDE]: { gridTemplateColumns: "minmax(0, 760px) minmax(280px, 1fr)" },
  },
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXXXL },
  previews: {
    display: "flex",
    flexDirection: "column",
    gap: tokens.spacingVerticalXL,
    alignSelf: "start",
    [WIDE]: { position: "sticky", top: tokens.spacingVerticalL },
  },
  foot: {
    position: "sticky",
    bottom: 0,
    display: "flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: tokens.spacingHorizontalM,
    padding: `${tokens.spacingVerticalM} 0`,
    backgroundColor: tokens.colorNeutralBackground1,
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
    zIndex: 1,
  },
});

interface Props {
  initial: Draft;
  /** The policy that it replaces; none is a new one. */
  name?: string;
  busy: boolean;
  error: unknown;
  onSave: (body: Draft) => void;
  /** Something was typed since the last answer. */
  onTouch: () => void;
  /** Saved meanwhile: leaving loses nothing. */
  saved: boolean;
  /** It came with the program, and is nobody's decision until it is saved, as it is or changed. */
  unset?: boolean;
  children?: ReactNode;
}

/** The form of a policy, with what it would do beside it. Give it another `key` to begin anew. */
export function Editor({ initial, name, busy, error, onSave, onTouch, saved, unset = false, children }: Props) {
  const styles = useStyles();
  const t = useTexts("policies");
  const [draft, setDraft] = useState(initial);
  const body = useMemo(() => bodyOf(draft), [draft]);
  const settled = useSettled(body);
  // A new policy has no name for a while; what it would do can be told all the same.
  const sketch = useMemo(() => (settled.name === "" ? { ...settled, name: t("editor.new") } : settled), [settled, t]);
  const preview = usePreview(sketch);
  const dirty = JSON.stringify(body) !== JSON.stringify(bodyOf(initial));
  const editing: Editing = {
    draft,
    change: (part) => {
      setDraft((before) => ({ ...before, ...part }));
      onTouch();
    },
    at: wrongAt(error, preview.error),
  };
  return (
    <form
      noValidate
      className={styles.form}
      data-unsaved={dirty && !saved}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && event.currentTarget.reportValidity()) onSave(body);
      }}
    >
      {children}
      <div className={styles.frame}>
        <div className={styles.form}>
          <GeneralPart {...editing} />
          <SelectionPart {...editing} />
          <SchedulePart {...editing} />
          <RetentionPart {...editing} />
          <WherePart {...editing} />
        </div>
        <div className={styles.previews}>
          <SchedulePreview {...preview} />
          <RetentionPreview body={sketch} />
        </div>
      </div>
      <Refusal error={error} fields={SHOWN} />
      <Foot name={name} before={initial} body={body} busy={busy} dirty={dirty} unset={unset} wrong={countWrong(preview.error)} />
      <Leave dirty={dirty && !saved} />
    </form>
  );
}

/** Members whose refusals stand at their fields. */
const SHOWN = [
  "/name",
  "/repository",
  "/selection/kinds",
  "/retention/tags",
  "/limits/runs",
  "/limits/bytes_per_second",
  "/schedule/time_zone",
  "/schedule/jitter_minutes",
  "/schedule/window/from",
  "/schedule/window/to",
  "/schedule/when/at",
  "/schedule/when/days",
  "/schedule/when/minutes",
  "/schedule/when/expression",
];

interface FootProps {
  name: string | undefined;
  before: Draft;
  body: Draft;
  busy: boolean;
  dirty: boolean;
  unset: boolean;
  wrong: number;
}

function Foot({ name, before, body, busy, dirty, unset, wrong }: FootProps) {
  const styles = useStyles();
  const t = useTexts("policies");
  const isNew = name === undefined;
  const edited = isNew ? undefined : { name, draft: before };
  const path = isNew ? "/policies" : `/policies/${encodeURIComponent(name)}`;
  // A command that is kept for later sets it whatever its version.
  const sent = isNew ? body : { policy: body };
  return (
    <div className={styles.foot}>
      <Button appearance="primary" type="submit" disabled={busy || (!isNew && !dirty && !unset)}>
        {isNew ? t("editor.create") : t("editor.save")}
      </Button>
      <ShowAs
        ready={body.name !== "" && wrong === 0}
        {...(sayable(body, edited) && body.name !== "" && { cli: words(body, edited) })}
        method={isNew ? "POST" : "PUT"}
        path={path}
        body={sent}
      />
      <span role="status">
        {wrong > 0 ? t("editor.wrong", { count: wrong }) : !isNew && dirty && t("editor.unsaved")}
      </span>
    </div>
  );
}

/** Asks before what was typed is lost. */
function Leave({ dirty }: { dirty: boolean }) {
  const t = useTexts("policies");
  const now = useRef(dirty);
  useEffect(() => {
    now.current = dirty;
  }, [dirty]);
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => now.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => now.current,
    withResolver: true,
  });
  if (status !== "blocked") return null;
  return (
    <ConfirmDialog title={t("editor.leaveTitle")} action={t("editor.leave")} dismiss={t("editor.stay")} busy={false} onConfirm={proceed} onCancel={reset}>
      <MessageBar intent="warning" layout="multiline">
        <MessageBarBody>{t("editor.leaveBody")}</MessageBarBody>
      </MessageBar>
    </ConfirmDialog>
  );
}
