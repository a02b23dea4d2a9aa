import { Body1, Button, Caption1, makeStyles, Radio, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, tokens } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { apart } from "../../components/apart";
import { bytes } from "../../components/format";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import type { ViewProps } from "./item";
import { entryOf } from "./ItemList";
import { useRestoreWays } from "./restore";
import { useSnapshot } from "./snapshot";
import { VersionDifference } from "./VersionDifference";
import { Scroll } from "./Scroll";

type Version = Schemas["VersionView"];

const useStyles = makeStyles({ choice: { width: "72px" }, actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS } });

/** The snapshot by which a version is looked at. */
function holder({ last, first }: Version): string | undefined {
  return last?.id ?? first?.id;
}

/** The versions of an item over all snapshots of its source, and what differs between two. */
export function Versions({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const [shown, show] = useShown();
  const history = api.useQuery("get", "/snapshots/{id}/history", { params: { path: { id: snapshot.id }, query: { kind: item.kind, id: item.item } } });
  return (
    <Loaded query={history}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title={t("versions.none")} />
        ) : (
          <Chosen item={item} versions={(items as Version[]).toReversed()} from={shown["from"]} to={shown["to"] ?? snapshot.id} onChoose={show} />
        )
      }
    </Loaded>
  );
}

/** The version that a snapshot of this time holds. */
function versionAt(versions: Version[], time: string | undefined): Version | undefined {
  if (time === undefined) return undefined;
  const at = Date.parse(time);
  return versions.find(({ first, last }) => first && last && Date.parse(first.time) <= at && at <= Date.parse(last.time));
}

/** Two versions, as the address names them, or that of the page and the one before it. */
function Chosen({ item, versions, from, to, onChoose }: ListProps) {
  const t = useTexts("browse");
  const later = versionAt(versions, useSnapshot(to).data?.time);
  const before = later && versions.slice(versions.indexOf(later) + 1).find((version) => holder(version) !== undefined);
  const chosen = from ?? (before && holder(before));
  const earlier = versionAt(versions, useSnapshot(chosen).data?.time);
  return (
    <>
      <Body1>{t("versions.about")}</Body1>
      {!versions.some(({ current }) => current) && <Body1>{t("versions.gone")}</Body1>}
      <List item={item} versions={versions} from={earlier && holder(earlier)} to={later && holder(later)} onChoose={onChoose} />
      {chosen !== undefined && to !== undefined && earlier !== later && <VersionDifference kind={item.kind} item={item.item} from={chosen} to={to} />}
    </>
  );
}

interface ListProps {
  item: ViewProps["item"];
  versions: Version[];
  from: string | undefined;
  to: string | undefined;
  onChoose: (change: { from?: string; to?: string }) => void;
}

function List({ item, versions, from, to, onChoose }: ListProps) {
  const styles = useStyles();
  const t = useTexts("browse");
  const several = versions.length > 1;
  const told = apart(versions.flatMap(({ first, last }) => [first, last].filter((one) => one != null)));
  return (
    <Scroll label={t("versions.list")} width={720}>
      <Table size="small" aria-label={t("versions.list")}>
        <TableHeader>
          <TableRow>
            {several && <TableHeaderCell className={styles.choice}>{t("versions.from")}</TableHeaderCell>}
            {several && <TableHeaderCell className={styles.choice}>{t("versions.to")}</TableHeaderCell>}
            <TableHeaderCell>{t("versions.name")}</TableHeaderCell>
            <TableHeaderCell>{t("versions.when")}</TableHeaderCell>
            <TableHeaderCell>{t("versions.actions")}</TableHeaderCell>
          </TableRow>
        </TableHeader>
        <TableBody>
          {versions.map((version) => {
            const id = holder(version);
            const name = version.name || item.name;
            const choice = (which: "from" | "to", chosen: boolean) =>
              several && (
                <TableCell className={styles.choice}>
                  <Radio
                    name={which}
                    aria-label={`${t(`versions.${which}`)}: ${name}, ${version.last ? told(version.last) : ""}`}
                    checked={chosen}
                    disabled={id === undefined}
                    onChange={() => id !== undefined && onChoose({ [which]: id })}
                  />
                </TableCell>
              );
            return (
              <TableRow key={version.digest + (version.first?.id ?? "")}>
                {choice("from", id !== undefined && id === from)}
                {choice("to", id !== undefined && id === to)}
                <TableCell style={{ overflowWrap: "anywhere" }}>
                  <span dir="auto">{name}</span> {version.current && <StatusBadge tone="good">{t("versions.current")}</StatusBadge>}
                  {version.binned && <StatusBadge tone="warning">{t("inBin")}</StatusBadge>}
                  <Caption1 block>{bytes(version.size)}</Caption1>
                </TableCell>
                <TableCell>
                  <Held version={version} told={told} />
                </TableCell>
                <TableCell>{id !== undefined && <Open item={item} version={version} snapshot={id} />}</TableCell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Scroll>
  );
}

function Held({ version: { first, last }, told }: { version: Version; told: ReturnType<typeof apart> }) {
  const t = useTexts("browse");
  if (!first || !last) return <>{t("versions.forgotten")}</>;
  if (first.id === last.id) return <>{t("versions.heldOne", { first: told(first) })}</>;
  return <>{t("versions.held", { first: told(first), last: told(last) })}</>;
}

function Open({ item, version, snapshot }: { item: ViewProps["item"]; version: Version; snapshot: string }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const other = useSnapshot(snapshot).data;
  const ways = useRestoreWays(other ?? ({ id: snapshot, service: "", source: "", time: version.last?.time ?? "" } as NonNullable<typeof other>));
  return (
    <div className={styles.actions}>
      <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot, kind: item.kind, item: item.item }}>
        {t("versions.open")}
      </TextLink>
      {ways && other && (
        <Button size="small" onClick={() => ways.restore([entryOf({ kind: item.kind, id: item.item, name: version.name || item.name, path: version.path })])}>
          {t("versions.restore")}
        </Button>
      )}
    </div>
  );
}
