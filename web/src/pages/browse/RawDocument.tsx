import { Body1, MessageBar, MessageBarBody } from "@fluentui/react-components";
import { CopyButton } from "../../components/CopyButton";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { FileText } from "./FileText";
import { useDocument, type ViewProps } from "./item";
import { linesOf } from "./lines";

/** JSON with its members one under the other; anything else as it is. Numbers stay as they are written where they fit. */
function indented(text: string): { text: string; isJson: boolean } {
  try {
    return { text: JSON.stringify(JSON.parse(text), undefined, 2), isJson: true };
  } catch {
    return { text, isJson: false };
  }
}

/** An item's document as it is stored. */
export function RawDocument({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const part = item.parts[0];
  const document = useDocument(snapshot.id, part?.path);
  if (!part) return <Empty title={t("none")} />;
  return (
    <Section title={part.name} actions={document.text !== undefined && <CopyButton text={document.text} />}>
      <Loaded query={document}>
        {({ text: stored, cut }) => {
          const { text, isJson } = indented(stored);
          return (
            <>
              <Body1>{t("raw.about")}</Body1>
              {!isJson && (
                <MessageBar intent="warning">
                  <MessageBarBody>{t(cut ? "raw.large" : "raw.notJson")}</MessageBarBody>
                </MessageBar>
              )}
              <FileText lines={linesOf(text)} label={t("raw.document")} />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
