import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, Text } from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { differences } from "./difference";

/** Everything that an approval would do: in words first, then as it is. */
export function Change({ proposal }: { proposal: Schemas["Proposal"] }) {
  const t = useTexts("approvals");
  return (
    <Section title={t("change.title")}>
      {proposal.kind === "forget-snapshots" && <Forgotten change={proposal.change} />}
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

function Forgotten({ change }: { change: Members }) {
  const t = useTexts("approvals");
  const { repository, snapshots: ids } = change as { repository?: string; snapshots?: string[] };
  const snapshots = ids ?? [];
  return (
    <>
      <Text>{t("change.forget", { count: snapshots.length, repository })}</Text>
      <DataTable
        label={t("change.snapshots")}
        items={snapshots}
        id={(id) => id}
        columns={[
          {
            key: "id",
            title: t("change.snapshots"),
            cell: (id) => (
              <TextLink to="/snapshots/$id" params={{ id }}>
                {id.slice(0, 16)}
              </TextLink>
            ),
          },
        ]}
      />
    </>
  );
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
