import { Field, SearchBox } from "@fluentui/react-components";
import { useDeferredValue } from "react";
import { type Column, DataTable } from "../../components/DataTable";
import { Filters } from "../../components/Filters";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { type GitRef, useStoredPages } from "./contract";
import { refName } from "./git";
import { useRefs } from "./GitRefs";
import type { ViewProps } from "./item";

/** All refs of a repository. */
export function GitBranches({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const [shown, show] = useShown();
  const words = useDeferredValue(shown["name"]);
  const head = useRefs(snapshot.id, item.path, "", 1).data?.head;
  const refs = useStoredPages<GitRef>(snapshot.id, "/git/refs", { path: item.path, name: words || undefined, limit: 200 });
  const here = { id: snapshot.id, kind: item.kind, item: item.item };
  const columns: Column<GitRef>[] = [
    {
      key: "name",
      title: t("git.name"),
      grow: 3,
      cell: ({ name }) => (
        <>
          <TextLink to="/snapshots/$id/item/$kind/$item" params={here} search={{ tab: "files", ref: name }}>
            {refName(name).name}
          </TextLink>{" "}
          {name === head && <StatusBadge tone="neutral">{t("git.head")}</StatusBadge>}
        </>
      ),
    },
    { key: "type", title: t("git.type"), cell: ({ name }) => t(`git.${refName(name).type}`) },
    {
      key: "target",
      title: t("git.target"),
      cell: ({ name, target, peeled }) => (
        <TextLink to="/snapshots/$id/item/$kind/$item" params={here} search={{ tab: "commits", ref: name }}>
          {(peeled ?? target).slice(0, 8)}
        </TextLink>
      ),
    },
  ];
  return (
    <>
      <Filters>
        <Field label={t("git.find")}>
          <SearchBox value={shown["name"] ?? ""} onChange={(_, { value }) => show({ name: value })} />
        </Field>
      </Filters>
      <Loaded query={{ ...refs, data: refs.items }}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={words ? t("noneFiltered") : t("git.empty")}>{words ? t("noneFilteredHint") : t("git.emptyHint")}</Empty>
          ) : (
            <DataTable
              label={t("item.branches")}
              items={items}
              columns={columns}
              id={({ name }) => name}
              more={refs.hasNextPage}
              onMore={() => !refs.isFetchingNextPage && void refs.fetchNextPage()}
            />
          )
        }
      </Loaded>
    </>
  );
}
