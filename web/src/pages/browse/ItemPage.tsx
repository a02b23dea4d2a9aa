import { makeStyles, MessageBar, MessageBarBody, Tab, TabList, tokens } from "@fluentui/react-components";
import { useParams } from "@tanstack/react-router";
import { Suspense } from "react";
import { when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { OutButton } from "../../components/Outside";
import { Page } from "../../components/Page";
import { Loaded, Loading } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { NUMBERED } from "./order";
import { CompareLive } from "../snapshots/CompareLive";
import { InSnapshot } from "./Frame";
import { type StoredItem, useDocument, useItem } from "./item";
import { entryOf } from "./ItemList";
import type { SnapshotDetail } from "./snapshot";
import { useSourceName } from "./source";
import { viewsOf } from "./views";
import { Ways } from "./Ways";

const useStyles = makeStyles({
  tabs: { flexWrap: "wrap", marginLeft: `calc(-1 * ${tokens.spacingHorizontalM})` },
  view: { minWidth: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

/** One item of a snapshot, as people know it. */
export function ItemPage() {
  const { kind = "", item = "" } = useParams({ strict: false }) as { kind?: string; item?: string };
  return <InSnapshot>{(snapshot) => <Found key={`${kind}/${item}`} snapshot={snapshot} kind={kind} id={item} />}</InSnapshot>;
}

function Found({ snapshot, kind, id }: { snapshot: SnapshotDetail; kind: string; id: string }) {
  const t = useTexts("browse");
  const title = useKindTitle();
  const source = useSourceName()(snapshot);
  const item = useItem(snapshot.id, kind, id);
  const name = item.data?.name ?? id;
  return (
    <Page
      title={NUMBERED.has(kind) ? `${id} · ${name}` : name}
      trail={
        <TextLink to="/snapshots/$id" params={{ id: snapshot.id }} search={{ kind }}>
          {t("title", { source, time: when(snapshot.time) })}
        </TextLink>
      }
      about={t("item.subtitle", { kind: title(kind), source, time: when(snapshot.time) })}
      actions={
        item.data && (
          <>
            <Ways snapshot={snapshot} entries={[entryOf({ kind, id, name, path: item.data.path })]} />
            <CompareLive snapshot={snapshot} entry={entryOf({ kind, id, name, path: item.data.path })} />
            {item.data.url && <OutButton to={item.data.url}>{t("inService")}</OutButton>}
          </>
        )
      }
    >
      {item.data?.stale_since && <Old since={item.data.stale_since} run={snapshot.run} />}
      <Loaded query={item}>{(data) => <Views snapshot={snapshot} item={data} />}</Loaded>
    </Page>
  );
}

/** That this very item is older than its snapshot. */
function Old({ since, run }: { since: string; run: string }) {
  const t = useTexts("browse");
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody>
        {t("staleItem", { time: when(since) })}{" "}
        <TextLink to="/runs/$id" params={{ id: run }} inline>
          {t("seeIssues")}
        </TextLink>
      </MessageBarBody>
    </MessageBar>
  );
}

function Views({ snapshot, item }: { snapshot: SnapshotDetail; item: StoredItem }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [shown, show] = useShown();
  const views = viewsOf(item.kind);
  const view = views.find(({ key }) => key === shown["tab"]) ?? views[0];
  const document = useDocument(snapshot.id, item.parts[0]?.path);
  return (
    <>
      <TabList
        className={styles.tabs}
        selectedValue={view?.key}
        aria-label={t("item.tabs")}
        onTabSelect={(_, { value }) => show({ ...Object.fromEntries(Object.keys(shown).map((key) => [key, undefined])), tab: String(value) })}
      >
        {views.map(({ key }) => (
          <Tab key={key} value={key} id={`tab-${key}`} aria-controls="view">
            {t(`item.${key}`)}
          </Tab>
        ))}
      </TabList>
      <div id="view" role="tabpanel" aria-labelledby={`tab-${view?.key}`} className={styles.view}>
        <Suspense fallback={<Loading />}>
          <Loaded query={{ ...document, data: document.data }}>
            {() => view && <view.View snapshot={snapshot} item={item} document={document.document} />}
          </Loaded>
        </Suspense>
      </div>
    </>
  );
}
