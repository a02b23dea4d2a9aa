import { Body1, makeStyles, tokens } from "@fluentui/react-components";
import { apart } from "../../components/apart";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { Difference } from "./Difference";
import { changedDocument, partsThatDiffer } from "./documents";
import { type StoredItem, useDocument, useItem } from "./item";
import { inWords } from "./records";
import { fieldName } from "./revisions";
import { useSnapshot } from "./snapshot";

const useStyles = makeStyles({
  list: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM, margin: 0 },
  name: { fontWeight: tokens.fontWeightSemibold },
  value: { margin: 0 },
});

interface Props {
  kind: string;
  item: string;
  /** Snapshots that hold the two versions. */
  from: string;
  to: string;
}

/** What differs between two versions of an item, field by field. */
export function VersionDifference({ kind, item, from, to }: Props) {
  const t = useTexts("browse");
  const [earlier, later] = [useItem(from, kind, item), useItem(to, kind, item)];
  const [first, second] = [useSnapshot(from).data, useSnapshot(to).data];
  const told = first && second && apart([first, second]);
  return (
    <Section title={t("versions.compare")}>
      {told && <Body1>{t("versions.between", { from: told(first), to: told(second) })}</Body1>}
      <Loaded query={earlier}>{(before) => <Loaded query={later}>{(after) => <Both from={from} to={to} before={before} after={after} />}</Loaded>}</Loaded>
    </Section>
  );
}

function Both({ from, to, before, after }: { from: string; to: string; before: StoredItem; after: StoredItem }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [one, other] = [useDocument(from, before.parts[0]?.path), useDocument(to, after.parts[0]?.path)];
  const parts = partsThatDiffer(before.parts, after.parts);
  return (
    <Loaded query={one}>
      {() => (
        <Loaded query={other}>
          {() => {
            if (!one.document || !other.document) return <Body1>{t("versions.missing")}</Body1>;
            const changes = changedDocument(one.document, other.document);
            return (
              <>
                {changes.length === 0 && <Body1>{t("versions.same")}</Body1>}
                <dl className={styles.list}>
                  {changes.map(({ field, before: was, after: is }) => (
                    <div key={field}>
                      <dt className={styles.name}>{fieldName(field.split("/").at(-1) ?? field)}</dt>
                      <dd className={styles.value}>
                        <Difference before={inLines(was)} after={inLines(is)} name={field} />
                      </dd>
                    </div>
                  ))}
                </dl>
                {parts.length > 0 && (
                  <Section title={t("versions.parts")}>
                    <ul>
                      {parts.map(({ name, change }) => (
                        <li key={name}>
                          {name}: {t(`versions.part.${change}`)}
                        </li>
                      ))}
                    </ul>
                  </Section>
                )}
              </>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

/** A value in lines that can be compared: lists have one element a line. */
function inLines(value: unknown): string {
  return Array.isArray(value) ? value.map((one) => inWords(one)).join("\n") : inWords(value);
}
