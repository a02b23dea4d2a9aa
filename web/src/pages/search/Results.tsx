import { Body1, Button, Caption1, makeStyles, Subtitle2, tokens } from "@fluentui/react-components";
import { ArrowUndoRegular, CartRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import { when } from "../../components/format";
import { useKindTitle } from "../../components/kinds";
import { StatusBadge } from "../../components/StatusBadge";
import { useTell } from "../../components/tell";
import { TextLink } from "../../components/TextLink";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { NUMBERED } from "../browse/order";
import { entryOf } from "../browse/ItemList";
import { useSourceName } from "../browse/source";
import { addToBasket } from "../restore/useBasket";

type Hit = Schemas["HitView"];

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  hit: {
    display: "flex",
    flexWrap: "wrap",
    gap: tokens.spacingHorizontalM,
    padding: tokens.spacingHorizontalM,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  words: { flex: "1 1 320px", minWidth: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXS, overflowWrap: "anywhere" },
  title: { margin: 0 },
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, alignItems: "flex-start" },
  states: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalXS },
  marked: { backgroundColor: tokens.colorPaletteYellowBackground2, color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
});

interface Props {
  hits: Hit[];
  more: boolean;
  busy: boolean;
  onMore: () => void;
}

export function Results({ hits, more, busy, onMore }: Props) {
  const styles = useStyles();
  const t = useTexts("search");
  return (
    <>
      <Caption1 role="status">{t(more ? "foundMore" : "found", { count: hits.length })}</Caption1>
      <ul className={styles.list} aria-label={t("results")}>
        {hits.map((hit) => (
          <li key={`${hit.repository}/${hit.service}/${hit.address}/${hit.item.kind}/${hit.item.scope}/${hit.item.id}`} className={styles.hit}>
            <Found hit={hit} />
          </li>
        ))}
      </ul>
      {more && (
        <Button disabled={busy} onClick={onMore}>
          {t("action.loadMore")}
        </Button>
      )}
    </>
  );
}

function Found({ hit }: { hit: Hit }) {
  const styles = useStyles();
  const t = useTexts("search");
  const title = useKindTitle();
  const mayRead = useMay("read-content");
  const { item, snapshot, project, excerpt } = hit;
  const source = useSourceName()(hit);
  const name = NUMBERED.has(item.kind) ? `${item.id} · ${item.name}` : item.name || item.id;
  return (
    <>
      <div className={styles.words}>
        <Subtitle2 as="h2" className={styles.title}>
          {snapshot && mayRead ? (
            <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot.id, kind: item.kind, item: item.id }}>
              <span dir="auto">{name}</span>
            </TextLink>
          ) : (
            <span dir="auto">{name}</span>
          )}
        </Subtitle2>
        <Caption1>{t(project ? "whereProject" : "where", { kind: title(item.kind), source, project })}</Caption1>
        {excerpt.length > 0 && (
          <Body1 dir="auto">
            {excerpt.map((piece, index) =>
              piece.hit ? (
                // oxlint-disable-next-line react/no-array-index-key -- pieces of one answer never move
                <mark key={index} className={styles.marked}>
                  {piece.text}
                </mark>
              ) : (
                piece.text
              ),
            )}
          </Body1>
        )}
        <div className={styles.states}>
          {hit.current ? (
            <StatusBadge tone="good">{t("current")}</StatusBadge>
          ) : (
            // A badge does not wrap: what it says is short.
            <>
              <StatusBadge tone="warning">{t(snapshot ? "gone" : "goneUnknown")}</StatusBadge>
              <Caption1>{snapshot ? t("goneAt", { time: when(snapshot.time) }) : t("goneForgotten")}</Caption1>
            </>
          )}
          {item.binned && <StatusBadge tone="warning">{t("bin")}</StatusBadge>}
        </div>
      </div>
      {snapshot && <Actions hit={hit} snapshot={snapshot} />}
    </>
  );
}

function Actions({ hit: { item, service, source }, snapshot }: { hit: Hit; snapshot: NonNullable<Hit["snapshot"]> }) {
  const styles = useStyles();
  const t = useTexts("search");
  const tell = useTell();
  const navigate = useNavigate();
  const [mayRestore, mayRead] = [useMay("restore"), useMay("read-content")];
  const entry = entryOf(item);
  return (
    <div className={styles.actions}>
      {mayRestore && (
        <>
          <Button
            size="small"
            icon={<ArrowUndoRegular />}
            aria-label={`${t("restore")} ${item.name}`}
            onClick={() => void navigate({ to: "/restore/new", search: { snapshot: snapshot.id, pick: [entry] } })}
          >
            {t("restore")}
          </Button>
          <Button
            size="small"
            icon={<CartRegular />}
            aria-label={`${t("add")}: ${item.name}`}
            onClick={() => {
              addToBasket({ id: snapshot.id, service, source, time: snapshot.time }, [entry]);
              tell(t("added"));
            }}
          >
            {t("add")}
          </Button>
        </>
      )}
      {mayRead && (
        <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot.id, kind: item.kind, item: item.id }} search={{ tab: "versions" }}>
          {t("versions")}
        </TextLink>
      )}
    </div>
  );
}
