import { Body1, Button, makeStyles, mergeClasses, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { ChevronDownRegular, ChevronRightRegular } from "@fluentui/react-icons";
import { useCallback, useState } from "react";
import { Problem } from "../../api/problem";
import { Foreign } from "../../components/Foreign";
import { usePaged } from "../../components/paged";
import { Empty, Failed, Loaded, Loading } from "../../components/State";
import { useShown } from "../../components/search";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { blobUrl, FIXED, useContent } from "./content";
import { FileText } from "./FileText";
import { useRefs } from "./GitRefs";
import type { ViewProps } from "./item";
import { linesOf } from "./lines";
import { placeAddress } from "./links";
import { textAt } from "./records";
import { pagesOf, pageTitle, plainMarkdown, resolvePage, resolvePath, type WikiPage } from "./wiki";
import { Damaged } from "./WorkItemForm";

const WIDE = "@media (min-width: 960px)";

const useStyles = makeStyles({
  columns: { display: "grid", gridTemplateColumns: "minmax(0, 1fr)", gap: tokens.spacingHorizontalL, [WIDE]: { gridTemplateColumns: "280px minmax(0, 1fr)" } },
  list: { listStyle: "none", margin: 0, padding: 0 },
  below: { paddingLeft: tokens.spacingHorizontalM },
  entry: { display: "flex", alignItems: "center", gap: "2px", minHeight: "28px" },
  here: { fontWeight: tokens.fontWeightSemibold },
  leaf: { paddingLeft: "26px" },
  page: { minWidth: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  title: { margin: 0 },
});

/** Where a wiki's pages are. */
interface Wiki {
  snapshot: string;
  id: string;
  repository: string;
  ref: string;
  /** The folder of the repository that is the wiki; empty for all of it. */
  top: string;
}

/** The pages of a wiki, rendered, with images out of the snapshot. */
export function WikiPages({ snapshot, item, document }: ViewProps) {
  const t = useTexts("browse");
  const repository = `git/${textAt(document, "/repositoryId") ?? ""}`;
  const refs = useRefs(snapshot.id, repository, "", 1, document !== undefined);
  if (!document) return <Damaged />;
  if (refs.error && Problem.from(refs.error).status === 404) return <Empty title={t("wiki.noRepository")} />;
  return (
    <Loaded query={refs}>
      {({ head, items }) => {
        if (items.length === 0) return <Empty title={t("wiki.empty")} />;
        const version = textAt(document, "/versions/0/version");
        const ref = version === undefined ? (head ?? items[0]?.name ?? "") : `refs/heads/${version}`;
        const top = (textAt(document, "/mappedPath") ?? "").split("/").filter((step) => step !== "").join("/");
        return <Pages wiki={{ snapshot: snapshot.id, id: item.item, repository, ref, top }} />;
      }}
    </Loaded>
  );
}

function Pages({ wiki }: { wiki: Wiki }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [shown] = useShown();
  const level = useLevel(wiki, wiki.top);
  const page = shown["page"] ?? level.pages?.find(({ hasText }) => hasText)?.path;
  if (level.error) return <Failed error={level.error} retry={level.retry} />;
  if (!level.pages) return <Loading />;
  if (level.pages.length === 0) return <Empty title={t("wiki.empty")} />;
  return (
    <div className={styles.columns}>
      <nav aria-label={t("wiki.pages")}>
        <Level wiki={wiki} folder={wiki.top} current={page} />
      </nav>
      {page === undefined ? <Body1>{t("wiki.choose")}</Body1> : <Page key={page} wiki={wiki} page={page} />}
    </div>
  );
}

/** The pages of one folder in their order. */
function useLevel({ snapshot, repository, ref }: Wiki, folder: string) {
  const query = { path: repository, ref, limit: 200, ...(folder && { folder }) };
  const entries = usePaged("/snapshots/{id}/git/tree", { path: { id: snapshot }, query }, FIXED);
  const hasOrder = entries.items?.some(({ name }) => name === ".order") ?? false;
  const order = useContent(hasOrder ? blobUrl(snapshot, repository, ref, `${folder === "" ? "" : `${folder}/`}.order`) : undefined);
  const ready = entries.items && (!hasOrder || order.data || order.error);
  return {
    pages: ready ? pagesOf(folder, entries.items ?? [], order.data?.text ?? "") : undefined,
    more: entries.hasNextPage ? () => void entries.fetchNextPage() : undefined,
    error: entries.error,
    retry: () => void entries.refetch(),
  };
}

function Level({ wiki, folder, current }: { wiki: Wiki; folder: string; current: string | undefined }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const { pages, more, error, retry } = useLevel(wiki, folder);
  if (error) return <Failed error={error} retry={retry} />;
  if (!pages) return <Loading />;
  return (
    <ul className={mergeClasses(styles.list, folder !== wiki.top && styles.below)}>
      {pages.map((page) => (
        <Entry key={page.path} wiki={wiki} page={page} current={current} />
      ))}
      {more && (
        <li>
          <Button size="small" appearance="subtle" onClick={more}>
            {t("action.loadMore")}
          </Button>
        </li>
      )}
    </ul>
  );
}

function Entry({ wiki, page: { title, path, hasText, hasPages }, current }: { wiki: Wiki; page: WikiPage; current: string | undefined }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [open, setOpen] = useState(current?.startsWith(`${path}/`) ?? false);
  return (
    <li>
      <div className={mergeClasses(styles.entry, !hasPages && styles.leaf, path === current && styles.here)}>
        {hasPages && (
          <Button
            size="small"
            appearance="transparent"
            icon={open ? <ChevronDownRegular /> : <ChevronRightRegular />}
            aria-expanded={open}
            aria-label={t(open ? "wiki.close" : "wiki.open", { title })}
            onClick={() => setOpen(!open)}
          />
        )}
        {hasText ? (
          <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: wiki.snapshot, kind: "wiki", item: wiki.id }} search={{ tab: "pages", page: path }}>
            <span dir="auto">{title}</span>
          </TextLink>
        ) : (
          <span dir="auto">{title}</span>
        )}
      </div>
      {open && <Level wiki={wiki} folder={path} current={current} />}
    </li>
  );
}

function Page({ wiki, page }: { wiki: Wiki; page: string }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [source, showSource] = useState(false);
  const { snapshot, repository, ref, top, id } = wiki;
  const content = useContent(blobUrl(snapshot, repository, ref, `${page}.md`));
  const image = useCallback(
    (target: string) => {
      const path = resolvePath(top, page, target);
      return path === undefined ? undefined : blobUrl(snapshot, repository, ref, path);
    },
    [snapshot, repository, ref, top, page],
  );
  const link = useCallback(
    (target: string) => {
      const path = resolvePage(top, page, target);
      return path === undefined ? undefined : placeAddress(snapshot, { kind: "wiki", item: id, search: { tab: "pages", page: path } });
    },
    [snapshot, id, top, page],
  );
  if (content.error && Problem.from(content.error).status === 404) return <Empty title={t("state.gone")} />;
  return (
    <article className={styles.page}>
      <Loaded query={content}>
        {({ text, cut }) => (
          <>
            <div>
              <Button size="small" onClick={() => showSource(!source)}>
                {t(source ? "files.view" : "files.source")}
              </Button>
            </div>
            {cut && (
              <MessageBar intent="warning">
                <MessageBarBody>{t("history.cut")}</MessageBarBody>
              </MessageBar>
            )}
            {source ? (
              <FileText lines={linesOf(text)} label={t("files.content", { name: pageTitle(page) })} />
            ) : (
              <Foreign text={plainMarkdown(text)} format="markdown" image={image} link={link} />
            )}
          </>
        )}
      </Loaded>
    </article>
  );
}
