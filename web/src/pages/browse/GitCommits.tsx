import { Subtitle2 } from "@fluentui/react-components";
import { type Column, DataTable } from "../../components/DataTable";
import { when } from "../../components/format";
import { Empty, Loaded } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { type GitCommitLine, useStoredPages } from "./contract";
import { refName } from "./git";
import { GitCommitView } from "./GitCommitView";
import { RefPicker, useRefs } from "./GitRefs";
import type { ViewProps } from "./item";

/** The commits of a branch or of one file, or a single commit. */
export function GitCommits(props: ViewProps) {
  const t = useTexts("browse");
  const { snapshot, item } = props;
  const [shown, show] = useShown();
  const { commit, file } = shown;
  const refs = useRefs(snapshot.id, item.path);
  if (commit !== undefined) return <GitCommitView {...props} commit={commit} />;
  return (
    <Loaded query={refs}>
      {({ head, items }) => {
        if (items.length === 0) return <Empty title={t("git.empty")}>{t("git.emptyHint")}</Empty>;
        const ref = shown["ref"] ?? head ?? items[0]?.name ?? "";
        return (
          <>
            <RefPicker snapshot={snapshot.id} path={item.path} value={ref} head={head ?? undefined} onChange={(value) => show({ ref: value })} />
            <Subtitle2 as="h2">{file === undefined ? t("git.commitsOf", { ref: refName(ref).name }) : t("git.historyOf", { file })}</Subtitle2>
            <List {...props} gitRef={ref} file={file} />
          </>
        );
      }}
    </Loaded>
  );
}

function List({ snapshot, item, gitRef, file }: ViewProps & { gitRef: string; file: string | undefined }) {
  const t = useTexts("browse");
  const commits = useStoredPages<GitCommitLine>(snapshot.id, "/git/commits", { path: item.path, ref: gitRef, file, limit: 100 });
  const columns: Column<GitCommitLine>[] = [
    {
      key: "subject",
      title: t("git.subject"),
      grow: 4,
      cell: ({ id, subject }) => (
        <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot.id, kind: item.kind, item: item.item }} search={{ tab: "commits", ref: gitRef, commit: id }}>
          <span dir="auto">{subject || id.slice(0, 8)}</span>
        </TextLink>
      ),
    },
    { key: "author", title: t("git.author"), grow: 2, cell: ({ author }) => <span dir="auto">{author}</span> },
    { key: "at", title: t("git.at"), width: 190, cell: ({ at }) => (at ? when(at) : "") },
    { key: "id", title: t("git.id"), width: 96, cell: ({ id }) => <code>{id.slice(0, 8)}</code> },
  ];
  return (
    <Loaded query={{ ...commits, data: commits.items }}>
      {(items) =>
        items.length === 0 ? (
          <Empty title={t("git.noCommits")} />
        ) : (
          <DataTable
            label={t("item.commits")}
            items={items}
            columns={columns}
            id={({ id }) => id}
            more={commits.hasNextPage}
            onMore={() => !commits.isFetchingNextPage && void commits.fetchNextPage()}
          />
        )
      }
    </Loaded>
  );
}
