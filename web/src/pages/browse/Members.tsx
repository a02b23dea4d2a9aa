import { Button, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow } from "@fluentui/react-components";
import { useState } from "react";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { useDocument, useItem, useRecords, type ViewProps } from "./item";
import { listAt, personOf, textAt } from "./records";

interface Member {
  name: string;
  account?: string | undefined;
  /** Of a user, who may be an item of the snapshot. */
  user?: string | undefined;
  /** `owner` or `admin`, where that is known. */
  role?: "owner" | "admin" | undefined;
}

/** Who is in a team of Azure DevOps. */
export function TeamMembers({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const part = item.parts.find(({ name }) => name === "members.json");
  const members = useDocument(snapshot.id, part?.path);
  if (!part) return <Empty title={t("people.none")} />;
  return (
    <Loaded query={members}>
      {() => (
        <People
          snapshot={snapshot.id}
          members={listAt(members.document, "/value").map((member) => ({
            ...named(member["identity"]),
            role: member["isTeamAdmin"] === true ? "admin" : undefined,
          }))}
        />
      )}
    </Loaded>
  );
}

/** Who owns and who is in a group of Microsoft 365. */
export function GroupMembers({ snapshot, item }: ViewProps) {
  const [owners, members] = [useRecords(snapshot.id, item, "owners.ndjson"), useRecords(snapshot.id, item, "members.ndjson")];
  return (
    <Loaded query={owners}>
      {({ items: own }) => (
        <Loaded query={members}>
          {({ items }) => (
            <People
              snapshot={snapshot.id}
              members={[...own.map((owner) => ({ ...named(owner), role: "owner" as const })), ...items.map((member) => named(member))]}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

/** A person, or whatever else is a member, by the id at least. */
function named(value: unknown): Member {
  const person = personOf(value);
  const id = textAt(value, "/id");
  const type = textAt(value, "/@odata.type")?.replace(/^#microsoft\.graph\./, "");
  return { name: person?.name ?? id ?? "", account: person?.account, ...(type === "user" ? { user: id } : { account: person?.account ?? type }) };
}

// Names of users are looked up one by one.
const FIRST = 50;

function People({ snapshot, members }: { snapshot: string; members: Member[] }) {
  const t = useTexts("browse");
  const [most, show] = useState(FIRST);
  if (members.length === 0) return <Empty title={t("people.none")} />;
  return (
    <>
      <Table size="small" aria-label={t("item.members")}>
        <TableHeader>
          <TableRow>
            <TableHeaderCell>{t("people.member")}</TableHeaderCell>
            <TableHeaderCell>{t("people.account")}</TableHeaderCell>
          </TableRow>
        </TableHeader>
        <TableBody>
          {members.slice(0, most).map(({ name, account, user, role }, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- a stored list never moves
            <TableRow key={index}>
              <TableCell style={{ overflowWrap: "anywhere" }}>
                {user === undefined ? <span dir="auto">{name}</span> : <User snapshot={snapshot} id={user} name={name} />}{" "}
                {role && <StatusBadge tone="neutral">{t(`people.${role}`)}</StatusBadge>}
              </TableCell>
              <TableCell style={{ overflowWrap: "anywhere" }}>{account}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
      {members.length > most && <Button onClick={() => show(most + FIRST)}>{t("action.loadMore")}</Button>}
    </>
  );
}

/** A user by name, as far as the snapshot holds one. */
function User({ snapshot, id, name }: { snapshot: string; id: string; name: string }) {
  const item = useItem(snapshot, "user", id).data;
  if (!item) return <>{name}</>;
  return (
    <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot, kind: "user", item: id }}>
      <span dir="auto">{item.name}</span>
    </TextLink>
  );
}
