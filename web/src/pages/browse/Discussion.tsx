import { Body1, Caption1, makeStyles, MessageBar, MessageBarBody, Subtitle2, tokens } from "@fluentui/react-components";
import { when } from "../../components/format";
import { Foreign } from "../../components/Foreign";
import { Empty, Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { commentsOf } from "./comments";
import { useRecords, type ViewProps } from "./item";
import { usePlaces } from "./places";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  comment: {
    padding: tokens.spacingHorizontalM,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    display: "flex",
    flexDirection: "column",
    gap: tokens.spacingVerticalXS,
    minWidth: 0,
  },
  who: { margin: 0 },
});

/** What people wrote about a work item. */
export function Discussion(props: ViewProps) {
  const styles = useStyles();
  const t = useTexts("browse");
  const places = usePlaces(props);
  const records = useRecords(props.snapshot.id, props.item, "comments.ndjson");
  return (
    <Loaded query={records}>
      {({ items, damaged }) => {
        const comments = commentsOf(items);
        if (comments.length === 0) return <Empty title={t("discussion.none")} />;
        return (
          <>
            {damaged.length > 0 && (
              <MessageBar intent="warning">
                <MessageBarBody>{t("history.damaged", { count: damaged.length })}</MessageBarBody>
              </MessageBar>
            )}
            <ol className={styles.list} aria-label={t("item.discussion")}>
              {comments.map((comment) => (
                <li key={comment.id} className={styles.comment}>
                  <Subtitle2 as="h2" className={styles.who}>
                    {comment.by ?? t("discussion.somebody")}
                  </Subtitle2>
                  <Caption1>
                    {comment.at && when(comment.at)}
                    {comment.edited && ` · ${t("discussion.edited", { time: when(comment.edited) })}`}
                  </Caption1>
                  {comment.deleted && <Body1>{t("discussion.deleted")}</Body1>}
                  <Foreign text={comment.text} format={comment.format} image={places.image} link={places.link} />
                  {comment.reactions.length > 0 && (
                    <Caption1>
                      {t("discussion.reactions", { list: comment.reactions.map(({ type, count }) => `${type} ${count}`).join(", ") })}
                    </Caption1>
                  )}
                </li>
              ))}
            </ol>
          </>
        );
      }}
    </Loaded>
  );
}
