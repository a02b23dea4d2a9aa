import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowSwapRegular, ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { when } from "../../components/format";
import { useKinds, withRows } from "../../components/kinds";
import { Page } from "../../components/Page";
import { ShowAs } from "../../components/ShowAs";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { CompareLive } from "../snapshots/CompareLive";
import { Marks } from "../snapshots/Marks";
import { useVerify, verifyAs } from "../snapshots/verify";
import { Head, InSnapshot, Stale } from "./Frame";
import { ItemList } from "./ItemList";
import { KindNavigation } from "./KindNavigation";
import { NodeTree } from "./NodeTree";
import { PartsOf, useWholeOf } from "./PartsOf";
import type { SnapshotDetail } from "./snapshot";
import { pageOf, useSourceName } from "./source";
import { RestoreAll } from "./Ways";
import "../snapshots/texts";

const WIDE = "@media (min-width: 960px)";

const useStyles = makeStyles({
  columns: {
    display: "grid",
    gridTemplateColumns: "minmax(0, 1fr)",
    gap: tokens.spacingHorizontalL,
    [WIDE]: { gridTemplateColumns: "220px minmax(0, 1fr)" },
  },
});

/** Kinds that are trees, with one root in each project. */
const TREES = new Set(["area", "iteration"]);

/** A snapshot: its kinds, and the items of one. */
export function SnapshotPage() {
  return <InSnapshot>{(snapshot) => <Inside snapshot={snapshot} />}</InSnapshot>;
}

function Inside({ snapshot }: { snapshot: SnapshotDetail }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [shown] = useShown();
  const sourceName = useSourceName();
  const source = sourceName(snapshot);
  const all = useKinds();
  const known = all.filter(({ service }) => service === snapshot.service);
  const kinds = known.length > 0 ? known.map(({ id }) => id) : Object.keys(snapshot.kinds).toSorted();
  const kind = shown["kind"] ?? withRows(kinds, all).find((one) => (snapshot.kinds[one]?.items ?? 0) > 0) ?? kinds[0] ?? "";
  const whole = useWholeOf(kind);
  return (
    <Page
      title={t("title", { source, time: when(snapshot.time) })}
      trail={
        <TextLink {...pageOf(snapshot)}>
          {t("allOf")}
        </TextLink>
      }
      about={
        <>
          <Head snapshot={snapshot} />
          <Marks snapshot={snapshot} stale={false} />
        </>
      }
      actions={<Actions snapshot={snapshot} />}
    >
      <Stale snapshot={snapshot} />
      <div className={styles.columns}>
        <KindNavigation snapshot={snapshot} kinds={kinds} current={kind} />
        {whole !== undefined ? (
          <PartsOf kind={kind} whole={whole} />
        ) : TREES.has(kind) && shown["as"] !== "list" ? (
          <NodeTree key={kind} snapshot={snapshot} kind={kind} />
        ) : (
          <ItemList key={kind} snapshot={snapshot} kind={kind} />
        )}
      </div>
    </Page>
  );
}

function Actions({ snapshot }: { snapshot: SnapshotDetail }) {
  const t = useTexts("browse");
  const navigate = useNavigate();
  const verify = useVerify();
  const mayVerify = useMay("run-backups");
  const { id, parent } = snapshot;
  return (
    <>
      <RestoreAll snapshot={snapshot} entry={{ type: "everything" }} />
      {parent && (
        <Button icon={<ArrowSwapRegular />} onClick={() => void navigate({ to: "/snapshots/compare", search: { from: parent, to: id } })}>
          {t("compareBefore")}
        </Button>
      )}
      <CompareLive snapshot={snapshot} />
      {mayVerify && (
        <>
          <Button icon={<ShieldCheckmarkRegular />} disabled={verify.isPending} onClick={() => verify.start(id)}>
            {t("verify")}
          </Button>
          <ShowAs {...verifyAs(id)} of={t("verify")} />
        </>
      )}
      <ShowAs of={t("snapshot")} cli={["snapshot", "browse", id.slice(0, 8)]} method="GET" path={`/snapshots/${id}/items`} />
    </>
  );
}
