import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, Text } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { useTexts } from "../../texts";
import { differences } from "./difference";
import { Forgotten } from "./Forgotten";

/** Everything that an approval would do: in words first, then as it is. */
export function Change({ proposal }: { proposal: Schemas["Proposal"] }) {
  const t = useTexts("approvals");
  return (
    <Section title={t("change.title")}>
      {proposal.kind === "forget-snapshots" && <Forgotten {...forgottenBy(proposal.change)} />}
      {proposal.kind === "shorten-retention" && <Shortened change={proposal.change} />}
      {proposal.kind === "move-default-repository" && <Text>{t("change.moveDefault", { before: t("change.nothing"), ...proposal.change })}</Text>}
      {proposal.kind === "remove-repository" && <Text>{t("change.removeRepository", proposal.change)}</Text>}
      {proposal.kind === "switch-off-four-eyes" && <Text>{t("change.fourEyes")}</Text>}
      <Accordion collapsible>
        <AccordionItem value="raw">
          <AccordionHeader as="h3">{t("change.raw")}</AccordionHeader>
          <AccordionPanel>
            <Code text={JSON.stringify(proposal.change, null, 2)} />
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
    </Section>
  );
}

type Members = Schemas["Proposal"]["change"];

function forgottenBy(change: Members): { repository: string; ids: string[] } {
  const { repository = "", snapshots = [] } = change as { repository?: string; snapshots?: string[] };
  return { repository, ids: snapshots };
}

function Shortened({ change }: { change: Members }) {
  const t = useTexts("approvals");
  const { policy, old, new: next } = change as { policy?: string; old?: unknown; new?: unknown };
  const words = old && next ? "edit" : old ? "remove" : "add";
  return (
    <>
      <Text>{t(`change.${words}`, { policy })}</Text>
      <DataTable
        label={t("change.differences")}
        items={differences(old, next)}
        id={({ path }) => path}
        columns={[
          { key: "path", title: t("change.member"), cell: ({ path }) => path },
          { key: "before", title: t("change.before"), cell: ({ before }) => before ?? t("change.nothing") },
          { key: "after", title: t("change.after"), cell: ({ after }) => after ?? t("change.nothing") },
        ]}
      />
    </>
  );
}
