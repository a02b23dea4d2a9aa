import { Subtitle2 } from "@fluentui/react-components";
import { when } from "../../components/format";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Empty, Loaded } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { FIXED } from "./content";
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
  const query = { path: item.path, ref: gitRef, limit: 100, ...(file !== undefined && { file }) };
  const commits = usePaged("/snapshots/{id}/git/commits", { path: { id: snapshot.id }, query }, FIXED);
  return (
    <Listing
      list={commits}
      label={t("item.commits")}
      empty={<Empty title={t("git.noCommits")} />}
      id={({ id }) => id}
      columns={[
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
        { key: "author", title: t("git.author"), grow: 2, minor: true, cell: ({ author }) => <span dir="auto">{author}</span> },
        { key: "at", title: t("git.at"), width: 190, cell: ({ at }) => (at ? when(at) : "") },
        { key: "id", title: t("git.id"), width: 96, minor: true, cell: ({ id }) => <code>{id.slice(0, 8)}</code> },
      ]}
    />
  );
}
