import { Caption1 } from "@fluentui/react-components";
import { HistoryRegular } from "@fluentui/react-icons";
import { useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useAll } from "../../components/all";
import { apart } from "../../components/apart";
import type { Column } from "../../components/DataTable";
import { count } from "../../components/format";
import { type Pages, Rows } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { isFor } from "../browse/source";
import { Actions } from "./Actions";
import type { Snapshot } from "./change";
import { Marks, useChangeWords } from "./Marks";
import { Timeline } from "./Timeline";
import "./texts";

/** All snapshots of one organization or tenant. */
export function Source() {
  const t = useTexts("snapshots");
  const { service = "", source = "" } = useParams({ strict: false }) as { service?: string; source?: string };
  const { address } = useSearch({ strict: false }) as { address?: string };
  const connectors = useAll("/connectors", {});
  const connector = connectors.items?.find((one) => isFor(one, { service, source, address }))?.name;
  const snapshots = usePaged("/snapshots", { query: { source: address ?? source, limit: 100 } });
  const items = snapshots.items?.filter((one) => one.service === service);
  return (
    <Page
      title={t("of", { source: connector ?? source })}
      trail={<TextLink to="/snapshots">{t("title")}</TextLink>}
      about={connectors.isSuccess && connector === undefined ? t("gone") : t(`services.${service}`, { defaultValue: service })}
    >
      <Loaded query={{ ...snapshots, data: items }}>
        {(all) =>
          all.length === 0 && !snapshots.hasNextPage ? (
            <Empty icon={<HistoryRegular />} title={t("noneOf")} action={<TextLink to="/connectors">{t("runBackup")}</TextLink>}>
              {t("noneOfHint")}
            </Empty>
          ) : (
            <>
              <Section title={t("timeline")}>
                <Caption1>{t("timelineAbout")}</Caption1>
                <Timeline snapshots={all} />
              </Section>
              <List snapshots={all} list={snapshots} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function List({ snapshots, list }: { snapshots: Snapshot[]; list: Pages }) {
  const t = useTexts("snapshots");
  const { permissions } = useMe();
  const words = useChangeWords();
  const told = useMemo(() => apart(snapshots), [snapshots]);
  const mayRead = permissions.includes("read-content");
  const mayAct = ["read-content", "restore", "run-backups", "manage-repositories"].some((permission) => permissions.includes(permission));
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const columns: Column<Snapshot>[] = [
    {
      key: "time",
      title: t("taken"),
      grow: 2,
      cell: (snapshot) => (
        <>
          <TextLink to="/snapshots/$id" params={{ id: snapshot.id }}>
            {told(snapshot)}
          </TextLink>
          <Caption1 block>
            <Time at={snapshot.time} />
          </Caption1>
        </>
      ),
    },
    { key: "items", title: t("items"), minor: true, cell: ({ items }) => count(items) },
    {
      key: "changes",
      title: t("changes"),
      grow: 2,
      cell: (snapshot) =>
        snapshot.parent && mayRead ? (
          <TextLink to="/snapshots/compare" search={{ from: snapshot.parent, to: snapshot.id }}>
            {words(snapshot)}
          </TextLink>
        ) : (
          words(snapshot)
        ),
    },
    { key: "marks", title: t("marks"), grow: 2, cell: (snapshot) => <Marks snapshot={snapshot} /> },
    { key: "repository", title: t("repository"), minor: true, cell: ({ repository }) => repository },
  ];
  const chosen = snapshots.filter(({ id }) => selected.has(id));
  return (
    <Section title={t("title")}>
      {mayAct && <Actions chosen={chosen} told={told} onDone={() => select(new Set())} />}
      <Rows
        label={t("list")}
        items={snapshots}
        columns={columns}
        id={({ id }) => id}
        name={told}
        {...(mayAct && { selected, onSelect: select })}
        list={list}
      />
    </Section>
  );
}
