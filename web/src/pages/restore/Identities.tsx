import { Body1, Button, Input, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { type Column, DataTable } from "../../components/DataTable";
import { count } from "../../components/format";
import { usePaged } from "../../components/paged";
import { Refusal } from "../../components/Refusal";
import { ShowAs } from "../../components/ShowAs";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useTell } from "../../components/tell";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { put, usePlanAction } from "./api";
import type { Identity, PlanDetail } from "./contract";
import { mapping } from "./plan";

const useStyles = makeStyles({
  actions: { display: "flex", gap: tokens.spacingHorizontalS },
  input: { width: "100%" },
});

/** Whom the restored things name, and who takes their place at the target. */
export function Identities({ plan }: { plan: PlanDetail }) {
  const t = useTexts("restore");
  const identities = usePaged<Identity>(`/restore-plans/${plan.id}/identities`, { limit: 200 });
  return (
    <>
      <Body1>{t("detail.identitiesAbout")}</Body1>
      <Loaded query={{ ...identities, data: identities.items }}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={t("person.none")} />
          ) : (
            <Mapping
              plan={plan}
              items={items}
              more={identities.hasNextPage}
              onMore={() => !identities.isFetchingNextPage && void identities.fetchNextPage()}
            />
          )
        }
      </Loaded>
    </>
  );
}

function Mapping({ plan, items, more, onMore }: { plan: PlanDetail; items: Identity[]; more: boolean; onMore: () => void }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const tell = useTell();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const mayEdit = useMay("restore") && plan.state === "ready";
  const body = mapping(items, typed);
  const save = usePlanAction(
    () => put(`/restore-plans/${plan.id}/identities`, body),
    () => {
      setTyped({});
      tell(t("detail.savedMapping"));
    },
  );
  const columns: Column<Identity>[] = [
    { key: "name", title: t("person.name"), grow: 2, cell: ({ from }) => <span dir="auto">{from.name}</span> },
    { key: "account", title: t("person.account"), grow: 2, cell: ({ from }) => from.unique_name },
    {
      key: "found",
      title: t("person.known"),
      width: 130,
      cell: ({ found }) => <StatusBadge tone={found ? "good" : "warning"}>{t(found ? "person.found" : "person.notFound")}</StatusBadge>,
    },
    { key: "items", title: t("person.items"), width: 80, cell: (identity) => count(identity.items) },
    {
      key: "to",
      title: t("person.to"),
      grow: 3,
      cell: ({ from, to }) =>
        mayEdit ? (
          <Input
            className={styles.input}
            size="small"
            aria-label={t("person.toOf", { name: from.name })}
            placeholder={t("person.stays")}
            value={typed[from.unique_name] ?? to?.unique_name ?? ""}
            onChange={(_, { value }) => setTyped({ ...typed, [from.unique_name]: value })}
          />
        ) : (
          (to?.unique_name ?? "")
        ),
    },
  ];
  return (
    <>
      <DataTable label={t("detail.identities")} items={items} columns={columns} id={({ from }) => from.unique_name} more={more} onMore={onMore} />
      {mayEdit && (
        <>
          <Refusal error={save.error} />
          <div className={styles.actions}>
            <Button appearance="primary" disabled={body.items.length === 0 || save.isPending} onClick={() => save.mutate()}>
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
