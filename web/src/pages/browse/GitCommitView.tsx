import { Body1, Caption1, makeStyles, mergeClasses, MessageBar, MessageBarBody, Subtitle2, Table, TableBody, TableCell, TableRow, tokens } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { when } from "../../components/format";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { FIXED } from "./content";
import { filesOfPatch, type PatchFile } from "./git";
import type { ViewProps } from "./item";

const useStyles = makeStyles({
  view: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM, minWidth: 0 },
  message: { whiteSpace: "pre-wrap", overflowWrap: "anywhere", margin: 0, fontFamily: tokens.fontFamilyBase },
  file: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, overflow: "hidden" },
  name: { margin: 0, padding: tokens.spacingHorizontalS, backgroundColor: tokens.colorNeutralBackground3, overflowWrap: "anywhere" },
  lines: { overflowX: "auto", fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
  line: { whiteSpace: "pre", minWidth: "max-content", paddingLeft: tokens.spacingHorizontalS },
  added: { backgroundColor: tokens.colorStatusSuccessBackground1 },
  removed: { backgroundColor: tokens.colorStatusDangerBackground1 },
  place: { color: tokens.colorNeutralForeground3, backgroundColor: tokens.colorNeutralBackground2 },
  links: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM },
  cell: { overflowWrap: "anywhere" },
});

const SIGNS = { same: " ", added: "+", removed: "−", place: "", note: "" } as const;
// Further files are listed and opened one by one.
const SHOWN = 100;

/** A commit: who, why, and what changed against its first parent. */
export function GitCommitView({ snapshot, item, commit }: ViewProps & { commit: string }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const params = { path: { id: snapshot.id }, query: { path: item.path, commit } };
  const query = api.useQuery("get", "/snapshots/{id}/git/commit", { params }, FIXED);
  const here = { to: "/snapshots/$id/item/$kind/$item", params: { id: snapshot.id, kind: item.kind, item: item.item } };
  return (
    <Loaded query={query}>
      {(data) => (
        <div className={styles.view}>
          <div className={styles.links}>
            <TextLink {...here} search={{ tab: "commits" }}>
              {t("git.back")}
            </TextLink>
            <TextLink {...here} search={{ tab: "files", ref: data.id }}>
              {t("git.browse")}
            </TextLink>
          </div>
          <Subtitle2 as="h2">{t("git.commit", { id: data.id.slice(0, 12) })}</Subtitle2>
          <pre className={styles.message} dir="auto">
            {data.message}
          </pre>
          <Caption1>
            {t("git.committed", { author: `${data.author.name} <${data.author.email}>`, at: data.author.at ? when(data.author.at) : "" })}
          </Caption1>
          {data.parents.length > 0 && (
            <div className={styles.links}>
              <Caption1>{t("git.parents")}</Caption1>
              {data.parents.map((parent) => (
                <TextLink key={parent} {...here} search={{ tab: "commits", commit: parent }}>
                  <code>{parent.slice(0, 8)}</code>
                </TextLink>
              ))}
            </div>
          )}
          <Section title={t("git.filesChanged", { count: data.files.length })}>
            <Changed files={data.files} />
            {data.more_files && <Body1>{t("git.moreFiles")}</Body1>}
          </Section>
          <Section title={t("git.difference")}>
            {data.more_patch && (
              <MessageBar intent="warning">
                <MessageBarBody>{t("git.morePatch")}</MessageBarBody>
              </MessageBar>
            )}
            {filesOfPatch(data.patch)
              .slice(0, SHOWN)
              .map((file, index) => (
                // oxlint-disable-next-line react/no-array-index-key -- a commit never changes
                <PatchOf key={index} file={file} />
              ))}
          </Section>
        </div>
      )}
    </Loaded>
  );
}

function Changed({ files }: { files: Schemas["GitChangeView"][] }) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <Table size="extra-small" aria-label={t("git.filesChanged", { count: files.length })}>
      <TableBody>
        {files.map(({ path, old_path: old, status, added, removed }) => (
          <TableRow key={path}>
            <TableCell className={styles.cell}>{old && old !== path ? t("git.renamed", { from: old, to: path }) : path}</TableCell>
            <TableCell>{t(`git.status.${status}`, { defaultValue: status })}</TableCell>
            <TableCell>
              {added === undefined || added === null
                ? t("git.notText")
                : `${t("git.plus", { count: added })} ${t("git.minus", { count: removed ?? 0 })}`}
            </TableCell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

function PatchOf({ file: { path, lines } }: { file: PatchFile }) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <div className={styles.file}>
      <Subtitle2 as="h3" block className={styles.name}>
        {path}
      </Subtitle2>
      <div className={styles.lines} tabIndex={0} role="region" aria-label={t("diff.label", { name: path })}>
        {lines.map(({ op, text }, index) => (
          <div
            // oxlint-disable-next-line react/no-array-index-key -- a commit never changes
            key={index}
            className={mergeClasses(styles.line, op === "added" && styles.added, op === "removed" && styles.removed, op === "place" && styles.place)}
          >
            {`${SIGNS[op]} ${text}`}
          </div>
        ))}
      </div>
    </div>
  );
}
