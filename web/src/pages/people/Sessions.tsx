import { Badge, Button } from "@fluentui/react-components";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { useTell } from "../../components/tell";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { browser } from "./browser";
import "./texts";

type Session = Schemas["Session"];

/** Sessions that can be ended: one's own, or those of all people. */
export function Sessions({ all = false }: { all?: boolean }) {
  const t = useTexts("people");
  const paged = usePaged("/sessions", { query: { all } });
  const [asked, setAsked] = useState<Session>();
  return (
    <Section title={t("sessions.title")} about={t("sessions.about")}>
      <Listing
        list={paged}
        label={t("sessions.list")}
        empty={<Empty title={t("sessions.none")} />}
        id={({ id }) => id}
        columns={[
          { key: "person", title: t("sessions.person"), grow: 2, cell: (item) => <Who session={item} /> },
          {
            key: "method",
            title: t("sessions.method"),
            cell: ({ method }) => t(`sessions.methods.${method}`, { defaultValue: method }),
          },
          { key: "address", title: t("sessions.address"), cell: ({ address }) => address ?? "–" },
          { key: "agent", title: t("sessions.agent"), grow: 2, cell: ({ agent }) => browser(agent) },
          { key: "seen", title: t("sessions.seen"), cell: ({ seen }) => <Time at={seen} /> },
          { key: "created", title: t("sessions.created"), cell: ({ created }) => <Time at={created} /> },
          {
            key: "end",
            title: t("sessions.end"),
            width: 90,
            cell: (item) => (
              <Button size="small" aria-label={t("sessions.endLabel", { person: item.person })} onClick={() => setAsked(item)}>
                {t("sessions.end")}
              </Button>
            ),
          },
        ]}
      />
      {asked && <End session={asked} onClose={() => setAsked(undefined)} />}
    </Section>
  );
}

function Who({ session: { person, current } }: { session: Session }) {
  const t = useTexts("people");
  return (
    <>
      {person} {current && <Badge appearance="outline">{t("sessions.current")}</Badge>}
    </>
  );
}

function End({ session, onClose }: { session: Session; onClose: () => void }) {
  const t = useTexts("people");
  const tell = useTell();
  const { id, person, current } = session;
  const end = api.useMutation("delete", "/sessions/{id}", {
    onSuccess: () => {
      if (current) location.assign("/sign-in");
      tell(t("sessions.done", { person }));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("sessions.ask", { person })}
      action={t("sessions.end")}
      busy={end.isPending}
      error={end.error}
      onConfirm={() => end.mutate({ params: { path: { id } } })}
      onCancel={onClose}
    >
      <p>{t(current ? "sessions.askCurrent" : "sessions.askAbout")}</p>
      <ShowAs cli={["session", "revoke", id]} method="DELETE" path={`/sessions/${id}`} />
    </ConfirmDialog>
  );
}
