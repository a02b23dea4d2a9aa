import { makeStyles, MessageBar, MessageBarBody, Tag, tokens } from "@fluentui/react-components";
import { when } from "../../components/format";
import { Facts } from "../../components/Facts";
import { Foreign } from "../../components/Foreign";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { fieldsOf, longTexts, otherFields, tagsOf } from "./fields";
import { FieldTable } from "./FieldTable";
import type { ViewProps } from "./item";
import { usePlaces } from "./places";
import { inWords, personOf, textAt } from "./records";
import { fieldName } from "./revisions";
import { Value } from "./Value";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalL },
  tags: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalXS },
  text: { padding: tokens.spacingHorizontalM, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium },
});

/** A work item as its form in the service. */
export function WorkItemForm(props: ViewProps) {
  const styles = useStyles();
  const t = useTexts("browse");
  const places = usePlaces(props);
  const { document, item } = props;
  if (!document) return <Damaged />;
  return (
    <div className={styles.form}>
      {item.parts.some(({ name }) => name === "recycle-bin.json") && (
        <MessageBar>
          <MessageBarBody>{t("form.inBin")}</MessageBarBody>
        </MessageBar>
      )}
      <Known document={document} />
      {longTexts(document).map(({ field, text, format }) => (
        <Section key={field} title={fieldName(field)}>
          <div className={styles.text}>
            <Foreign text={text} format={format} image={places.image} link={places.link} />
          </div>
        </Section>
      ))}
      <Others fields={otherFields(document)} />
    </div>
  );
}

type Document = NonNullable<ViewProps["document"]>;

/** The fields that every work item has. */
function Known({ document }: { document: Document }) {
  const styles = useStyles();
  const t = useTexts("browse");
  const fields = fieldsOf(document);
  const person = (field: string) => personOf(fields[field])?.name;
  const moment = (time: string, who: string) => {
    const at = textAt(fields, `/${time}`);
    return at && t("form.by", { time: when(at), who: person(who) ?? "" });
  };
  const tags = tagsOf(document).map((tag) => (
    <Tag key={tag} size="small">
      {tag}
    </Tag>
  ));
  return (
    <Facts
      facts={[
        [t("form.type"), inWords(fields["System.WorkItemType"])],
        [t("form.state"), inWords(fields["System.State"])],
        [t("form.reason"), inWords(fields["System.Reason"])],
        [t("form.assigned"), person("System.AssignedTo") ?? t("form.nobody")],
        [t("form.area"), inWords(fields["System.AreaPath"])],
        [t("form.iteration"), inWords(fields["System.IterationPath"])],
        [t("form.created"), moment("System.CreatedDate", "System.CreatedBy")],
        [t("form.changed"), moment("System.ChangedDate", "System.ChangedBy")],
        [t("form.tags"), tags.length > 0 && <span className={styles.tags}>{tags}</span>],
      ]}
    />
  );
}

/** All other fields, also those that Keepward knows nothing of. */
function Others({ fields }: { fields: ReturnType<typeof otherFields> }) {
  const t = useTexts("browse");
  if (fields.length === 0) return null;
  return (
    <Section title={t("form.other")}>
      <FieldTable label={t("form.other")} rows={fields.map(({ field, name, value }) => ({ key: field, reference: field, name, value: <Value value={value} /> }))} />
    </Section>
  );
}

/** A document that is no JSON object; its bytes are still there. */
export function Damaged() {
  const t = useTexts("browse");
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody>{t("form.damaged")}</MessageBarBody>
    </MessageBar>
  );
}
