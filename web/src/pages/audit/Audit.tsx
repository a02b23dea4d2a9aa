import { Button, Link } from "@fluentui/react-components";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { Filters } from "../../components/Filters";
import type { Column } from "../../components/DataTable";
import { FilterSelect } from "../../components/FilterSelect";
import { FilterText } from "../../components/FilterText";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { EntryDialog } from "./EntryDialog";
import { placeOf } from "./subject";
import "./texts";
import { fromField, toField } from "./times";
import { Verify } from "./Verify";

type Entry = Schemas["Entry"];

export function Audit() {
  const t = useTexts("audit");
  const may = useMay("read-audit");
  const [shown, show] = useShown();
  const query = queryOf(shown);
  const paged = usePaged("/audit", { query }, { more: 1_000 });
  const [opened, setOpened] = useState<Entry>();
  const columns = useColumns(setOpened);
  const search = new URLSearchParams(query).toString();
  const options = Object.entries(query).flatMap(([name, value]) => [`--${name}`, value]);
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        may && (
          <>
            <ShowAs cli={["audit", "list", ...options]} method="GET" path={`/audit${search && `?${search}`}`} />
            <Button as="a" href="/api/v1/audit/export" download="audit.jsonl" title={t("exportHint")}>
              {t("export")}
            </Button>
            <ShowAs of={t("export")} cli={["audit", "export", "audit.jsonl"]} method="GET" path="/audit/export" file="audit.jsonl" />
            <Button onClick={() => show({ dialog: "verify" })}>{t("verify.go")}</Button>
          </>
        )
      }
    >
      <Narrowing />
      <Listing list={paged} label={t("list")} empty={<Empty title={t("none")}>{t("noneHint")}</Empty>} id={({ seq }) => String(seq)} columns={columns} />
      {opened && <EntryDialog entry={opened} onClose={() => setOpened(undefined)} />}
      {shown["dialog"] === "verify" && <Verify onClose={() => show({ dialog: undefined })} />}
    </Page>
  );
}

const MEMBERS = ["actor", "action", "subject", "outcome", "since", "until"];

/** What the address narrows the list by. */
function queryOf(shown: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(MEMBERS.flatMap((name) => (shown[name] === undefined ? [] : [[name, shown[name]]])));
}

function Narrowing() {
  const t = useTexts("audit");
  const [{ actor, action, subject, outcome, since, until }, show] = useShown();
  const outcomes = ["done", "refused", "failed"].map((value) => ({ value, title: t(`outcome.${value}`) }));
  return (
    <Filters>
      <FilterText label={t("filter.actor")} value={actor} onChange={(value) => show({ actor: value })} />
      <FilterText label={t("filter.action")} value={action} placeholder={t("filter.actionHint")} onChange={(value) => show({ action: value })} />
      <FilterText label={t("filter.subject")} value={subject} placeholder={t("filter.subjectHint")} onChange={(value) => show({ subject: value })} />
      <FilterSelect label={t("filter.outcome")} value={outcome} options={outcomes} onChange={(value) => show({ outcome: value })} />
      <FilterText type="datetime-local" label={t("filter.since")} value={toField(since)} onChange={(value) => show({ since: fromField(value) })} />
      <FilterText type="datetime-local" label={t("filter.until")} value={toField(until)} onChange={(value) => show({ until: fromField(value) })} />
    </Filters>
  );
}

function useColumns(onOpen: (entry: Entry) => void): Column<Entry>[] {
  const t = useTexts("audit");
  return [
    { key: "seq", title: t("column.seq"), width: 80, cell: (entry) => <Link onClick={() => onOpen(entry)}>{entry.seq}</Link> },
    { key: "time", title: t("column.time"), width: 150, cell: ({ time }) => <Time at={time} /> },
    { key: "actor", title: t("column.actor"), grow: 2, cell: (entry) => <Who entry={entry} /> },
    { key: "action", title: t("column.action"), grow: 2, cell: (entry) => entry.action },
    { key: "subject", title: t("column.subject"), grow: 2, cell: (entry) => <About subject={entry.subject} /> },
    { key: "outcome", title: t("column.outcome"), width: 120, cell: (entry) => <Outcome outcome={entry.outcome} /> },
    { key: "address", title: t("column.address"), cell: ({ address }) => address ?? "–" },
  ];
}

function Who({ entry: { actor, kind } }: { entry: Entry }) {
  const t = useTexts("audit");
  return kind === "person" ? actor : `${actor} (${t(`kind.${kind}`, { defaultValue: kind })})`;
}

function About({ subject }: { subject: string }) {
  const place = placeOf(subject);
  return place ? <TextLink {...place}>{subject}</TextLink> : subject;
}

const TONES: Record<string, Tone> = { done: "good", refused: "warning", failed: "bad" };

function Outcome({ outcome }: { outcome: string }) {
  const t = useTexts("audit");
  return <StatusBadge tone={TONES[outcome] ?? "neutral"}>{t(`outcome.${outcome}`, { defaultValue: outcome })}</StatusBadge>;
}
