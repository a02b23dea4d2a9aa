import { Button } from "@fluentui/react-components";
import { KeyRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { useTell } from "../../components/tell";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { PERMISSIONS } from "../people/roles";
import "../people/texts";
import "./texts";

type Token = Schemas["Token"];

/** Whether a token may all that anybody may; it may never more than its owner. */
function isAll(permissions: string[]): boolean {
  return PERMISSIONS.every((permission) => permissions.includes(permission));
}

/** One's own tokens, or everybody's. */
export function TokenList({ all }: { all: boolean }) {
  const t = useTexts("tokens");
  const people = useTexts("people");
  const paged = usePaged("/tokens", { query: { all } });
  const [asked, setAsked] = useState<Token>();
  const may = (permission: string) => people(`permission.${permission}`, { defaultValue: permission });
  return (
    <>
      <Listing
        list={paged}
        label={t("list")}
        empty={
          <Empty icon={<KeyRegular />} title={t("none")}>
            {t("noneHint")}
          </Empty>
        }
        id={({ id }) => id}
        columns={[
          { key: "name", title: t("column.name"), cell: ({ name }) => name },
          ...(all ? [{ key: "person", title: t("column.person"), cell: ({ person }: Token) => person }] : []),
          { key: "prefix", title: t("column.prefix"), cell: ({ prefix }) => <code>{prefix}…</code> },
          { key: "may", title: t("column.may"), grow: 3, cell: ({ permissions }) => (isAll(permissions) ? t("mayAll") : permissions.map(may).join(" · ")) },
          {
            key: "connectors",
            title: t("column.connectors"),
            cell: ({ connectors }) => connectors?.join(", ") ?? t("allConnectors"),
          },
          { key: "ends", title: t("column.ends"), cell: (token) => <Ends token={token} /> },
          { key: "used", title: t("column.used"), cell: ({ used }) => <Time at={used} /> },
          {
            key: "revoke",
            title: t("column.revoke"),
            width: 100,
            cell: (token) => (
              <Button size="small" aria-label={t("revokeLabel", { name: token.name })} onClick={() => setAsked(token)}>
                {t("revoke")}
              </Button>
            ),
          },
        ]}
      />
      {asked && <Revoke token={asked} onClose={() => setAsked(undefined)} />}
    </>
  );
}

function Ends({ token }: { token: Token }) {
  const t = useTexts("tokens");
  if (token.expired) return <StatusBadge tone="bad">{t("expired")}</StatusBadge>;
  return <Time at={token.expires} />;
}

function Revoke({ token: { id, name }, onClose }: { token: Token; onClose: () => void }) {
  const t = useTexts("tokens");
  const tell = useTell();
  const revoke = api.useMutation("delete", "/tokens/{id}", {
    onSuccess: () => {
      tell(t("revoked", { name }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("ask", { name })}
      action={t("revoke")}
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate({ params: { path: { id } } })}
      onCancel={onClose}
    >
      <p>{t("askAbout")}</p>
      <ShowAs cli={["token", "revoke", id]} method="DELETE" path={`/tokens/${id}`} />
    </ConfirmDialog>
  );
}
