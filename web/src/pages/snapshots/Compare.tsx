import { Button, Caption1 } from "@fluentui/react-components";
import { ArrowSwapRegular } from "@fluentui/react-icons";
import { useMemo } from "react";
import { apart } from "../../components/apart";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { count } from "../../components/format";
import { useKinds, useKindTitle, withRows } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty, Failed, Loaded, Loading } from "../../components/State";
import { ShowAs } from "../../components/ShowAs";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useWhole } from "../../components/whole";
import { useTexts } from "../../texts";
import { FIXED } from "../browse/content";
import { Stale } from "../browse/Frame";
import { PartsOf, useWholeOf } from "../browse/PartsOf";
import { type SnapshotDetail, useSnapshot } from "../browse/snapshot";
import { pageOf, useSourceName } from "../browse/source";
import { ByKind } from "./ByKind";
import { Differences } from "./Differences";
import { CHANGES, changesInOrder } from "./change";
import "./texts";

/** Up to so many differences are read at once, and shown in the order in which people look. */
const ORDERED = 2_000;

/** What differs between two snapshots of one source. */
export function Compare() {
  const t = useTexts("snapshots");
  const [{ from, to }] = useShown();
  const [earlier, later] = [useSnapshot(from), useSnapshot(to)];
  const error = earlier.error ?? later.error;
  if (earlier.data && later.data) return <Both earlier={earlier.data} later={later.data} />;
  return (
    <Page title={t("comparison")} trail={<TextLink to="/snapshots">{t("title")}</TextLink>}>
      {error ? (
        <Failed error={error} retry={() => void Promise.all([earlier.refetch(), later.refetch()])} />
      ) : from === undefined || to === undefined ? (
        <Empty title={t("compareHint")} />
      ) : (
        <Loading />
      )}
    </Page>
  );
}

function Both({ earlier, later }: { earlier: SnapshotDetail; later: SnapshotDetail }) {
  const t = useTexts("snapshots");
  const title = useKindTitle();
  const [{ kind, change }, show] = useShown();
  const filtered = kind !== undefined || change !== undefined;
  const changes = usePaged("/snapshots/{id}/changes", { path: { id: later.id }, query: { from: earlier.id, limit: 100, ...(kind && { kind }), ...(change && { change }) } }, { more: 1_000, ...FIXED });
  const complete = useWhole(changes, ORDERED);
  const whole = useWholeOf(kind);
  const reading = !complete && !changes.error && (changes.items?.length ?? 0) < ORDERED;
  // More of them than that are not turned around under whoever scrolled to their end.
  const sorted = complete && (changes.items?.length ?? 0) <= ORDERED;
  const ordered = useMemo(() => (sorted ? changesInOrder(changes.items ?? []) : changes.items), [sorted, changes.items]);
  const kinds = withRows(new Set([...Object.keys(earlier.kinds), ...Object.keys(later.kinds)]), useKinds());
  const name = useSourceName()(later);
  const told = apart([earlier, later]);
  return (
    <Page
      title={t("comparison")}
      trail={
        <TextLink {...pageOf(later)}>
          {t("of", { source: name })}
        </TextLink>
      }
      about={
        <>
          {t("comparing", { source: name, from: told(earlier), to: told(later) })}
          <Caption1 block>{`${count(earlier.items)} → ${count(later.items)} ${t("items").toLowerCase()}`}</Caption1>
        </>
      }
      actions={
        <>
          <Button icon={<ArrowSwapRegular />} onClick={() => show({ from: later.id, to: earlier.id })}>
            {t("swap")}
          </Button>
          <ShowAs
            cli={["snapshot", "diff", earlier.id.slice(0, 8), later.id.slice(0, 8)]}
            method="GET"
            path={`/snapshots/${later.id}/changes?${new URLSearchParams({ from: earlier.id, ...(kind && { kind }), ...(change && { change }) }).toString()}`}
          />
        </>
      }
    >
      <Stale snapshot={earlier} title={told(earlier)} />
      <Stale snapshot={later} title={told(later)} />
      {later.parent === earlier.id && <ByKind snapshot={later} />}
      <Filters>
        <FilterSelect
          label={t("kind")}
          value={kind}
          options={kinds.map((value) => ({ value, title: title(value) }))}
          onChange={(value) => show({ kind: value })}
        />
        <FilterSelect
          label={t("change")}
          value={change}
          options={CHANGES.map((value) => ({ value, title: t(`changeOf.${value}`) }))}
          onChange={(value) => show({ change: value })}
        />
      </Filters>
      <Loaded query={{ ...changes, data: reading ? undefined : ordered }}>
        {(items) =>
          kind !== undefined && whole !== undefined ? (
            <PartsOf kind={kind} whole={whole} />
          ) : items.length === 0 && !changes.hasNextPage ? (
            <Empty title={t(filtered ? "sameFilter" : "same")}>{t(filtered ? "sameFilterHint" : "sameHint")}</Empty>
          ) : (
            <>
              {!sorted && <Caption1>{t(kind ? "asIdsOfKind" : "asIds")}</Caption1>}
              <Differences key={`${kind} ${change}`} items={items} earlier={earlier} later={later} list={changes} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
