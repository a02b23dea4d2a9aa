import { MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { LockClosedRegular } from "@fluentui/react-icons";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Facts } from "../../components/Facts";
import { count, when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { Page } from "../../components/Page";
import { Empty, Failed, Loading } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { useSelectedWords, useStaleWords } from "../snapshots/Marks";
import { isStale, staleKinds } from "../snapshots/stale";
import { type SnapshotDetail, useSnapshot } from "./snapshot";
import { pageOf, useSourceName } from "./source";
import "./texts";

/** The snapshot of the address around a page that looks into it. */
export function InSnapshot({ children }: { children: (snapshot: SnapshotDetail) => ReactNode }) {
  const t = useTexts("browse");
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const query = useSnapshot(id);
  const mayRead = useMay("read-content");
  if (query.data === undefined) {
    return (
      <Page title={t("snapshot")} trail={<TextLink to="/snapshots">{t("allOf")}</TextLink>}>
        {query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Loading />}
      </Page>
    );
  }
  if (!mayRead) return <FromOutside snapshot={query.data} />;
  return children(query.data);
}

/** What whoever may not read content sees of a snapshot: how much is in it. */
function FromOutside({ snapshot }: { snapshot: SnapshotDetail }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const source = useSourceName()(snapshot);
  return (
    <Page
      title={t("title", { source, time: when(snapshot.time) })}
      trail={
        <TextLink {...pageOf(snapshot)}>
          {t("allOf")}
        </TextLink>
      }
      about={<Head snapshot={snapshot} />}
    >
      <Stale snapshot={snapshot} />
      <Facts facts={Object.entries(snapshot.kinds).map(([kind, { items }]) => [title(kind), count(items)])} />
      <Empty icon={<LockClosedRegular />} title={t("mayNotRead")}>
        {t("mayNotReadHint")}
      </Empty>
    </Page>
  );
}

/** Of what, how much, and where it lies; whose and when is its title. */
export function Head({ snapshot: { service, items, repository } }: { snapshot: SnapshotDetail }) {
  const t = useTexts("browse");
  return t("head", { service: t(`services.${service}`, { defaultValue: service }), formatted: count(items), repository });
}

/** What could not be read when the snapshot was made, or was not to be: it is told wherever the snapshot is shown. */
export function Stale({ snapshot, title }: { snapshot: SnapshotDetail; title?: string }) {
  const t = useTexts("browse");
  const words = useStaleWords();
  const selected = useSelectedWords()(snapshot);
  const since = staleKinds(snapshot).map((kind) => kind.since).toSorted()[0];
  const heading = title !== undefined && <MessageBarTitle>{title}</MessageBarTitle>;
  return (
    <>
      {selected !== undefined && (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>
            {heading}
            {selected}
          </MessageBarBody>
        </MessageBar>
      )}
      {isStale(snapshot) && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            {heading}
            {t("stale", { what: words(snapshot, Infinity) })} {since !== undefined && t("staleSince", { time: when(since) })}{" "}
            <TextLink to="/runs/$id" params={{ id: snapshot.run }} inline>
              {t("seeIssues")}
            </TextLink>
          </MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}
