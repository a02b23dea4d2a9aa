import { api, type Schemas } from "../../api/client";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { Empty } from "../../components/State";
import { StatusBadge, type Tone } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { event } from "./channel";

type Message = Schemas["MessageView"];

const TONES: Record<string, Tone> = { waiting: "waiting", sent: "good", failed: "bad" };

/** What was sent, waits or was given up. */
export function Messages() {
  const t = useTexts("notifications");
  const [{ of }, show] = useShown();
  const channels = api.useQuery("get", "/notifications").data?.items ?? [];
  const paged = usePaged("/notification-messages", { query: of ? { channel: of } : {} });
  return (
    <>
      <Filters>
        <FilterSelect
          label={t("messages.channel")}
          value={of}
          options={channels.map(({ name }) => ({ value: name, title: name }))}
          onChange={(value) => show({ of: value })}
        />
      </Filters>
      <Listing
        list={paged}
        label={t("messages.list")}
        empty={<Empty title={t("messages.none")}>{t("messages.noneHint")}</Empty>}
        id={({ id }) => id}
        columns={[
          { key: "state", title: t("messages.state"), width: 120, cell: (message) => <State of={message} /> },
          { key: "channel", title: t("messages.channel"), cell: ({ channel }) => channel },
          { key: "about", title: t("messages.about"), grow: 2, cell: (message) => <About of={message} /> },
          { key: "created", title: t("messages.created"), cell: ({ created }) => <Time at={created} /> },
          { key: "attempts", title: t("messages.attempts"), width: 90, cell: ({ attempts }) => String(attempts) },
          { key: "due", title: t("messages.due"), cell: ({ due }) => (due ? <Time at={due} /> : "–") },
          { key: "error", title: t("messages.error"), grow: 3, cell: ({ error }) => error ?? "" },
        ]}
      />
    </>
  );
}

function State({ of: { state } }: { of: Message }) {
  const t = useTexts("notifications");
  return <StatusBadge tone={TONES[state] ?? "neutral"}>{t(`messages.states.${state}`, { defaultValue: state })}</StatusBadge>;
}

function About({ of }: { of: Message }) {
  const t = useTexts("notifications");
  const about = event(of.event);
  if (about.kind === "run") {
    return (
      <TextLink to="/runs/$id" params={{ id: about.id }}>
        {t("messages.run")}
      </TextLink>
    );
  }
  if (about.kind === "alarm") return <TextLink to="/alarms">{t("messages.alarm", { key: about.key })}</TextLink>;
  return about.text === "test" ? t("messages.test") : about.text;
}
