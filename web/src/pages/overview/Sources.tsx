import { Body1, Button } from "@fluentui/react-components";
import { count, span } from "../../components/format";
import { type Column, DataTable } from "../../components/DataTable";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { StatusBadge } from "../../components/StatusBadge";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { Unplaced } from "../../components/Unplaced";
import { useTexts } from "../../texts";
import { pageOf } from "../browse/source";
import { isConnected, nameOf, sorted, type Source, stateOf, TONES } from "./standing";
import "./texts";

/** Each source with its last good backup and how old that may be. */
export function Sources({ sources }: { sources: Source[] }) {
  const t = useTexts("overview");
  const [{ state }, show] = useShown();
  const shown = sorted(sources).filter((source) => state === undefined || stateOf(source) === state);
  return (
    <Section title={t("sources.title")}>
      {state !== undefined && (
        <div role="status">
          <Body1>{t("sources.filtered", { state: t(`state.${state}`, { defaultValue: state }) })}</Body1>{" "}
          <Button size="small" onClick={() => show({ state: undefined })}>
            {t("sources.showAll")}
          </Button>
        </div>
      )}
      <DataTable label={t("sources.list")} items={shown} columns={columns(t)} id={(source) => `${isConnected(source)} ${nameOf(source)}`} />
    </Section>
  );
}

/** `7 days`, `26 hours`. */
function objective(days: number): string {
  return span(Math.max(1, Math.round(days * 24)) * 60);
}

function columns(t: ReturnType<typeof useTexts>): Column<Source>[] {
  return [
    {
      key: "source",
      title: t("sources.source"),
      cell: (source) => <Name source={source} />,
    },
    {
      key: "state",
      title: t("sources.state"),
      width: 144,
      cell: (source) => {
        if (!isConnected(source)) return <StatusBadge tone="neutral">{t("state.orphan")}</StatusBadge>;
        return (
          <StatusBadge tone={TONES[stateOf(source)] ?? "neutral"}>
            {t(`state.${stateOf(source)}`, { defaultValue: source.state })}
          </StatusBadge>
        );
      },
    },
    { key: "last", title: t("sources.last"), cell: (source) => <Last source={source} /> },
    {
      key: "objective",
      title: t("sources.objective"),
      minor: true,
      cell: ({ objective_days: days }) => days > 0 && t("sources.objectiveWords", { time: objective(days) }),
    },
    { key: "items", title: t("sources.items"), minor: true, cell: ({ items }) => count(items) },
    {
      key: "policy",
      title: t("sources.policy"),
      minor: true,
      cell: (source) =>
        source.policy == null ? (
          isConnected(source) && t("sources.noPolicy")
        ) : (
          <TextLink to="/policies/$name" params={{ name: source.policy }}>
            {source.policy}
          </TextLink>
        ),
    },
    {
      key: "next",
      title: t("sources.next"),
      minor: true,
      cell: (source) => (source.next_run == null ? isConnected(source) && t("sources.noNext") : <Time at={source.next_run} />),
    },
  ];
}

function Name({ source }: { source: Source }) {
  if (isConnected(source)) {
    return (
      <>
        <TextLink to="/connectors/$name" params={{ name: source.connector }}>
          {source.connector}
        </TextLink>
        <Unplaced why={source.address_error} />
      </>
    );
  }
  const { service, organization, address } = source;
  return <TextLink {...pageOf({ service, source: organization, address })}>{organization}</TextLink>;
}

function Last({ source: { last_good: last } }: { source: Source }) {
  const t = useTexts("overview");
  if (last == null) return t("sources.none");
  if (last.snapshot == null) return <Time at={last.at} />;
  return (
    <TextLink to="/snapshots/$id" params={{ id: last.snapshot }}>
      <Time at={last.at} />
    </TextLink>
  );
}
