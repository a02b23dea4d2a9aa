import { Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from "@fluentui/react-components";
import { Problem } from "../../api/problem";
import { OutLink } from "../../components/Outside";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { useItem, type ViewProps } from "./item";
import { type Place, type Relation, relationsOf } from "./links";
import { Damaged } from "./WorkItemForm";
import { Scroll } from "./Scroll";

/** The links of a work item: to others in the snapshot, into its repositories, into the web. */
export function WorkItemLinks({ snapshot, document }: ViewProps) {
  const t = useTexts("browse");
  if (!document) return <Damaged />;
  const relations = relationsOf(document);
  if (relations.length === 0) return <Empty title={t("links.none")} />;
  return (
    <Scroll label={t("item.links")} width={560}>
      <Table size="small" aria-label={t("item.links")}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("links.name")}</TableHeaderCell>
            <TableHeaderCell>{t("links.to")}</TableHeaderCell>
            <TableHeaderCell>{t("links.comment")}</TableHeaderCell>
          </TableRow>
        </TableHeader>
        <TableBody>
          {relations.map((relation, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- the same link may be there twice, and they never move
            <TableRow key={index}>
              <TableCell>{relation.name}</TableCell>
              <TableCell style={{ overflowWrap: "anywhere" }}>
                <To snapshot={snapshot.id} relation={relation} named={index < NAMED} />
              </TableCell>
              <TableCell style={{ overflowWrap: "anywhere" }}>{relation.comment}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Scroll>
  );
}

// What further links lead to is told by number alone.
const NAMED = 50;

function To({ snapshot, relation: { to, place, address }, named }: { snapshot: string; relation: Relation; named: boolean }) {
  if (place) return <Inside snapshot={snapshot} to={to} place={place} named={named} />;
  return address ? <OutLink to={address}>{to}</OutLink> : <>{to}</>;
}

/** A link into the snapshot, with the name of what it leads to, or that the snapshot does not have it. */
function Inside({ snapshot, to, place, named }: { snapshot: string; to: string; place: Place; named: boolean }) {
  const t = useTexts("browse");
  const { data, error } = useItem(snapshot, place.kind, place.item, named);
  const words = place.kind === "work-item" ? t("links.workItem", { id: to }) : to;
  if (error && Problem.from(error).status === 404) {
    return (
      <>
        {words} <StatusBadge tone="neutral">{t("links.missing")}</StatusBadge>
      </>
    );
  }
  return (
    <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot, kind: place.kind, item: place.item }} {...(place.search && { search: place.search })}>
      {words}
      {data && <span dir="auto">{` · ${data.name}`}</span>}
    </TextLink>
  );
}
