import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, Text } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { DataTable } from "../../components/DataTable";
import { useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { draftOf, type Policy } from "../policies/draft";
import { memberName } from "../policies/member";
import { RetentionPreview } from "../policies/RetentionPreview";
import { retentionWords } from "../policies/words";
import { differences, type Value } from "./difference";
import { Forgotten } from "./Forgotten";
import { forgottenBy } from "./forgottenBy";

/** Everything that an approval would do: in words first, then as it is. */
export function Change({ proposal }: { proposal: Schemas["Proposal"] }) {
  const t = useTexts("approvals");
  return (
    <Section title={t([`change.titleOf.${proposal.state}`, "change.title"])}>
      {proposal.kind === "forget-snapshots" && <Forgotten {...forgottenBy(proposal.change)} done={proposal.state === "done"} />}
      {proposal.kind === "shorten-retention" && <Shortened change={proposal.change} open={proposal.state === "open"} />}
      {proposal.kind === "move-default-repository" && <Text>{t("change.moveDefault", { before: t("change.nothing"), ...proposal.change })}</Text>}
      {proposal.kind === "remove-repository" && <Text>{t("change.removeRepository", proposal.change)}</Text>}
      {proposal.kind === "switch-off-four-eyes" && <Text>{t("change.fourEyes")}</Text>}
      <Accordion collapsible>
        <AccordionItem value="raw">
          <AccordionHeader as="h3">{t("change.raw")}</AccordionHeader>
          <AccordionPanel>
            <Code text={JSON.stringify(proposal.change, null, 2)} />
            <Text block>{t("change.hash", { hash: proposal.hash })}</Text>
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
    </Section>
  );
}

type Members = Schemas["Proposal"]["change"];

function Shortened({ change, open }: { change: Members; open: boolean }) {
  const t = useTexts("approvals");
  const names = useTexts("policies");
  const title = useKindTitle();
  const may = useMay("approve");
  const { policy, old, new: next } = change as { policy?: string; old?: Policy | null; new?: Policy | null };
  const words = old && next ? "edit" : old ? "remove" : "add";
  // A number alone misleads: 3 daily ones are more than none, but without any rule everything stays.
  const keeps = (rules: Policy) => retentionWords(names, draftOf(rules).retention);
  const retention = { path: "retention", ...(old && { before: keeps(old) }), ...(next && { after: keeps(next) }) };
  const shown = (value: Value | undefined) => {
    if (value === undefined) return t("change.nothing");
    if (typeof value === "boolean") return t(value ? "change.yes" : "change.no");
    return Array.isArray(value) ? value.map((one, at) => <Text key={at} block>{typeof one === "string" ? one : JSON.stringify(one)}</Text>) : value;
  };
  return (
    <>
      <Text>{t(`change.${words}`, { policy })}</Text>
      <DataTable
        label={t("change.differences")}
        items={[retention, ...differences(old, next)]}
        id={({ path }) => path}
        columns={[
          { key: "path", title: t("change.member"), cell: ({ path }) => memberName(names, path, title) },
          { key: "before", title: t("change.before"), cell: ({ before }) => shown(before) },
          { key: "after", title: t("change.after"), cell: ({ after }) => shown(after) },
        ]}
      />
      {open && next && may && <RetentionPreview body={draftOf(next)} />}
    </>
  );
}
