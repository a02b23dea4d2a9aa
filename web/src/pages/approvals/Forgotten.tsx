import { Caption1, Text } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { Problem } from "../../api/problem";
import { DataTable } from "../../components/DataTable";
import { count, when } from "../../components/format";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { type SnapshotDetail, useSnapshot } from "../browse/snapshot";
import { pageOf, useSourceName } from "../browse/source";
import { Marks, useChangeWords } from "../snapshots/Marks";
import "../snapshots/texts";
import "./texts";

/** Each snapshot that would be forgotten, as its own page knows it: whoever approves sees of what, of when and how much. */
export function Forgotten({ repository, ids, done }: { repository: string; ids: string[]; done: boolean }) {
  const t = useTexts("approvals");
  if (done) return <Gone repository={repository} ids={ids} />;
  return (
    <>
      <Text>{t("change.forget", { count: ids.length, repository })}</Text>
      <DataTable
        label={t("change.snapshots")}
        items={ids}
        id={(id) => id}
        columns={[
          { key: "taken", title: t("change.taken"), grow: 2, cell: (id) => <Taken id={id} /> },
          { key: "source", title: t("change.source"), grow: 1.5, cell: (id) => <Of id={id}>{(snapshot) => <Source snapshot={snapshot} />}</Of> },
          { key: "items", title: t("change.items"), cell: (id) => <Of id={id}>{({ items }) => count(items)}</Of> },
          { key: "changes", title: t("change.changes"), grow: 2, cell: (id) => <Of id={id}>{(snapshot) => <Changes snapshot={snapshot} />}</Of> },
          { key: "marks", title: t("change.marks"), grow: 2, cell: (id) => <Of id={id}>{(snapshot) => <Marks snapshot={snapshot} />}</Of> },
        ]}
      />
    </>
  );
}

/** Of snapshots that are deleted nothing is left but their ids. */
function Gone({ repository, ids }: { repository: string; ids: string[] }) {
  const t = useTexts("approvals");
  return (
    <>
      <Text>{t("change.forget", { count: ids.length, repository })}</Text>
      <DataTable label={t("change.deleted")} items={ids} id={(id) => id} columns={[{ key: "id", title: t("change.deleted"), cell: (id) => id.slice(0, 8) }]} />
    </>
  );
}

/** What a row shows of its snapshot; the cells of a row ask for it together. */
function Of({ id, children }: { id: string; children: (snapshot: SnapshotDetail) => ReactNode }) {
  const { data } = useSnapshot(id);
  return data && children(data);
}

function Taken({ id }: { id: string }) {
  const t = useTexts("approvals");
  const { data, error } = useSnapshot(id);
  const short = id.slice(0, 8);
  if (data) {
    return (
      <>
        <TextLink to="/snapshots/$id" params={{ id }}>
          {when(data.time)}
        </TextLink>
        <Caption1 block>
          <Time at={data.time} /> · {short}
        </Caption1>
      </>
    );
  }
  if (error) return t(Problem.from(error).status === 404 ? "change.gone" : "change.unread", { id: short });
  return short;
}

function Source({ snapshot }: { snapshot: SnapshotDetail }) {
  const name = useSourceName()(snapshot);
  return <TextLink {...pageOf(snapshot)}>{name}</TextLink>;
}

function Changes({ snapshot }: { snapshot: SnapshotDetail }) {
  return useChangeWords()(snapshot);
}
