import { Body1, makeStyles, tokens } from "@fluentui/react-components";
import { count } from "../../components/format";
import { useKinds, useKindTitle } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { FIXED } from "./content";
import { ofKinds, useCounts } from "./counts";
import type { ViewProps } from "./item";

const SHOWN = 30;

const useStyles = makeStyles({
  list: { display: "flex", flexWrap: "wrap", gap: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalL}`, listStyle: "none", margin: 0, padding: 0 },
});

/** What a project has, kind by kind: the first of each, and the way to all. */
export function ProjectContents({ snapshot, item }: ViewProps) {
  const counts = useCounts(snapshot);
  const known = useKinds().filter(({ service, within }) => service === snapshot.service && !within);
  return (
    <Loaded query={counts}>
      {({ items }) => {
        const sums = ofKinds(items, item.item);
        const kinds = known.map(({ id }) => id).filter((kind) => kind !== item.kind);
        return kinds.map((kind) => <OfKind key={kind} snapshot={snapshot.id} project={item.item} kind={kind} items={sums.get(kind) ?? 0} />);
      }}
    </Loaded>
  );
}

function OfKind({ snapshot, project, kind, items }: { snapshot: string; project: string; kind: string; items: number }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const title = useKindTitle();
  const params = { path: { id: snapshot }, query: { kind, project, limit: SHOWN } };
  const first = usePaged("/snapshots/{id}/items", params, { enabled: items > 0, ...FIXED });
  return (
    <Section
      title={`${title(kind)} (${count(items)})`}
      actions={
        items > 0 && (
          <TextLink to="/snapshots/$id" params={{ id: snapshot }} search={{ kind, project }}>
            {t("showAll")}
          </TextLink>
        )
      }
    >
      {items === 0 ? (
        <Body1>{t("noneHere")}</Body1>
      ) : (
        <Loaded query={first}>
          {({ items: list }) =>
            list.length === 0 ? (
              <Empty title={t("none")} />
            ) : (
              <ul className={styles.list}>
                {list.map(({ id, name }) => (
                  <li key={id}>
                    <TextLink to="/snapshots/$id/item/$kind/$item" params={{ id: snapshot, kind, item: id }}>
                      <span dir="auto">{name || id}</span>
                    </TextLink>
                  </li>
                ))}
                {items > list.length && <li>…</li>}
              </ul>
            )
          }
        </Loaded>
      )}
    </Section>
  );
}
