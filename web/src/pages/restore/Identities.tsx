import { Body1, Button, Input, makeStyles, tokens } from "@fluentui/react-components";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import type { Column } from "../../components/DataTable";
import { count } from "../../components/format";
import { type Pages, Rows } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Refusal } from "../../components/Refusal";
import { ShowAs } from "../../components/ShowAs";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { type Identity, knownAs, mapping, type PlanDetail, unknownAccounts } from "./plan";

const useStyles = makeStyles({
  actions: { display: "flex", gap: tokens.spacingHorizontalS },
  input: { width: "100%" },
});

/** What was typed and is not saved, by the person's name at the source. */
export type Typed = Record<string, string>;

interface Props {
  plan: PlanDetail;
  typed: Typed;
  onTyped: (typed: Typed) => void;
}

/** Whom the restored things name, and who takes their place at the target. */
export function Identities({ plan, typed, onTyped }: Props) {
  const t = useTexts("restore");
  const identities = usePaged("/restore-plans/{id}/identities", { path: { id: plan.id }, query: { limit: 200 } });
  return (
    <>
      <Body1>{t("detail.identitiesAbout")}</Body1>
      <Loaded query={{ ...identities, data: identities.items }}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={t("person.none")} />
          ) : (
            <Mapping plan={plan} typed={typed} onTyped={onTyped} items={items} list={identities} />
          )
        }
      </Loaded>
    </>
  );
}

function Mapping({ plan, typed, onTyped, items, list }: Props & { items: Identity[]; list: Pages }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const tell = useTell();
  const mayEdit = useMay("restore") && plan.state === "ready";
  const body = mapping(items, typed);
  const save = api.useMutation("put", "/restore-plans/{id}/identities", {
    onSuccess: () => {
      onTyped({});
      tell(t("detail.savedMapping"));
    },
  });
  const refused = save.error && save.variables ? unknownAccounts(Problem.from(save.error), save.variables.body) : {};
  const columns = useColumns(mayEdit ? typed : undefined, refused, ({ from, to }, account) => {
    const { [from.unique_name]: _, ...others } = typed;
    // What is as it was is nothing to save.
    onTyped(account === (to?.unique_name ?? "") ? others : { ...others, [from.unique_name]: account });
  });
  return (
    <>
      <Rows label={t("detail.identities")} items={items} columns={columns} id={({ from }) => from.unique_name} list={list} />
      {items.some((identity) => knownAs(identity) === "unchecked") && <Body1>{t("person.uncheckedHint")}</Body1>}
      {mayEdit && (
        <>
          <Refusal error={save.error} />
          <div className={styles.actions}>
            <Button appearance="primary" disabled={body.items.length === 0 || save.isPending} onClick={() => save.mutate({ params: { path: { id: plan.id } }, body })}>
              {t("detail.saveMapping")}
            </Button>
            {body.items.length > 0 && (
              <ShowAs
                cli={["restore", "identities", plan.id, ...body.items.flatMap(({ from, to }) => ["--map", `${from.unique_name}=${to?.unique_name ?? ""}`])]}
                method="PUT"
                path={`/restore-plans/${plan.id}/identities`}
                body={body}
              />
            )}
          </div>
        </>
      )}
    </>
  );
}

const TONES = { found: "good", notFound: "warning", unchecked: "warning" } as const;

/** `typed` is absent where nothing can be changed any more; `refused` are accounts that the target does not know. */
function useColumns(typed: Typed | undefined, refused: Typed, onType: (identity: Identity, account: string) => void): Column<Identity>[] {
  const styles = useStyles();
  const t = useTexts("restore");
  return [
    { key: "name", title: t("person.name"), grow: 2, cell: ({ from }) => <span dir="auto">{from.name}</span> },
    { key: "account", title: t("person.account"), grow: 2, cell: ({ from }) => from.unique_name },
    {
      key: "found",
      title: t("person.known"),
      width: 130,
      cell: (identity) => {
        const { unique_name: name } = identity.from;
        if (typed && name in refused && typed[name]?.trim() === refused[name]) return <StatusBadge tone="bad">{t("person.notFound")}</StatusBadge>;
        const known = knownAs(identity);
        return <StatusBadge tone={TONES[known]}>{t(`person.${known}`)}</StatusBadge>;
      },
    },
    { key: "items", title: t("person.items"), width: 80, cell: (identity) => count(identity.items) },
    {
      key: "to",
      title: t("person.to"),
      grow: 3,
      cell: (identity) => {
        const { from, to, found } = identity;
        return typed ? (
          <Input
            className={styles.input}
            size="small"
            aria-label={t("person.toOf", { name: from.name })}
            placeholder={t(found ? "person.stays" : "person.becomesText")}
            value={typed[from.unique_name] ?? to?.unique_name ?? ""}
            onChange={(_, { value }) => onType(identity, value)}
          />
        ) : (
          (to?.unique_name ?? "")
        );
      },
    },
  ];
}
