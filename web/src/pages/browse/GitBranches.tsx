import { Field, SearchBox } from "@fluentui/react-components";
import { Filters } from "../../components/Filters";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useShown } from "../../components/search";
import { useSettled } from "../../components/settled";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { FIXED } from "./content";
import { refName } from "./git";
import { useRefs } from "./GitRefs";
import type { ViewProps } from "./item";

/** All refs of a repository. */
export function GitBranches({ snapshot, item }: ViewProps) {
  const t = useTexts("browse");
  const [shown, show] = useShown();
  const words = useSettled(shown["name"]);
  const head = useRefs(snapshot.id, item.path, "", 1).data?.head;
  const query = { path: item.path, limit: 200, ...(words && { name: words }) };
  const refs = usePaged("/snapshots/{id}/git/refs", { path: { id: snapshot.id }, query }, FIXED);
  const here = { id: snapshot.id, kind: item.kind, item: item.item };
  return (
    <>
      <Filters>
        <Field label={t("git.find")}>
          <SearchBox value={shown["name"] ?? ""} onChange={(_, { value }) => show({ name: value })} />
        </Field>
      </Filters>
      <Listing
        list={refs}
        label={t("item.branches")}
        empty={<Empty title={words ? t("noneFiltered") : t("git.empty")}>{words ? t("noneFilteredHint") : t("git.emptyHint")}</Empty>}
        id={({ name }) => name}
        columns={[
          {
            key: "name",
            title: t("git.name"),
            grow: 3,
            cell: ({ name }) => (
              <>
                <TextLink to="/snapshots/$id/item/$kind/$item" params={here} search={{ tab: "files", ref: name }}>
                  {refName(name).name}
                </TextLink>{" "}
                {name === head && <StatusBadge tone="neutral">{t("git.head")}</StatusBadge>}
              </>
            ),
          },
          { key: "type", title: t("git.type"), cell: ({ name }) => t(`git.${refName(name).type}`) },
          {
            key: "target",
            title: t("git.target"),
            cell: ({ name, target, peeled }) => (
              <TextLink to="/snapshots/$id/item/$kind/$item" params={here} search={{ tab: "commits", ref: name }}>
                {(peeled ?? target).slice(0, 8)}
              </TextLink>
            ),
          },
        ]}
      />
    </>
  );
}
