import { Button } from "@fluentui/react-components";
import { AddRegular, CalendarClockRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { api, type Schemas } from "../../api/client";
import { useAll } from "../../components/all";
import type { Column } from "../../components/DataTable";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { StatusBadge } from "../../components/StatusBadge";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { covered } from "./covers";
import { draftOf } from "./draft";
import { useMayEdit } from "./editing";
import { RunNow } from "./RunNow";
import { retentionWords, scheduleWords } from "./words";
import "./texts";

type View = Schemas["PolicyView"];

/** All policies, in words. */
export function Policies() {
  const t = useTexts("policies");
  const query = api.useQuery("get", "/policies");
  const repositories = api.useQuery("get", "/repositories");
  const connectors = useAll("/connectors", {});
  const names = connectors.hasNextPage ? undefined : connectors.items?.map(({ name }) => name);
  const usual = repositories.data?.items.find((one) => one.default)?.name;
  const mayAdd = useMayEdit();
  const mayRun = useMay("run-backups");
  const add = mayAdd && <AddButton />;
  return (
    <Page title={t("title")} about={t("about")} actions={add}>
      <Listing
        list={query}
        label={t("list")}
        empty={
          <Empty icon={<CalendarClockRegular />} title={t("none")} action={add}>
            {t("noneHint")}
          </Empty>
        }
        id={(view) => view.policy.name}
        columns={columns(t, { all: query.data?.items ?? [], names, usual, mayRun })}
      />
    </Page>
  );
}

function AddButton() {
  const t = useTexts("policies");
  const navigate = useNavigate();
  return (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => void navigate({ to: "/new/policy" })}>
      {t("add")}
    </Button>
  );
}

interface Around {
  all: View[];
  /** Absent while they are not all known. */
  names: string[] | undefined;
  usual: string | undefined;
  mayRun: boolean;
}

function columns(t: ReturnType<typeof useTexts>, { all, names, usual, mayRun }: Around): Column<View>[] {
  const shown: Column<View>[] = [
    {
      key: "name",
      title: t("column.name"),
      grow: 1.5,
      cell: ({ policy }) => (
        <>
          <TextLink to="/policies/$name" params={{ name: policy.name }}>
            {policy.name}
          </TextLink>{" "}
          {policy.enabled === false && <StatusBadge tone="neutral">{t("off")}</StatusBadge>}
        </>
      ),
    },
    {
      key: "covers",
      title: t("column.covers"),
      minor: true,
      grow: 1.5,
      cell: ({ policy }) => {
        const rule = policy.connectors?.length ? policy.connectors.join(", ") : t("covers.rest");
        if (names === undefined) return rule;
        const now = covered(policy, all.map((view) => view.policy), names);
        return now.length === 0 ? t("covers.none", { rule }) : <span title={rule}>{now.join(", ")}</span>;
      },
    },
    { key: "schedule", title: t("column.schedule"), grow: 2, cell: ({ policy }) => scheduleWords(t, draftOf(policy).schedule) },
    {
      key: "retention",
      title: t("column.retention"),
      minor: true,
      grow: 1.5,
      cell: ({ policy, removes_nothing }) => (removes_nothing ? t("removesNothing") : retentionWords(t, draftOf(policy).retention)),
    },
    {
      key: "repository",
      title: t("column.repository"),
      minor: true,
      cell: ({ policy }) => policy.repository ?? (usual === undefined ? t("defaultRepository") : t("defaultRepositoryNamed", { name: usual })),
    },
    { key: "next", title: t("column.next"), cell: (view) => <Next view={view} /> },
  ];
  if (!mayRun) return shown;
  return [
    ...shown,
    { key: "actions", title: t("column.actions"), width: 124, minor: true, cell: ({ policy }) => <RunNow policy={policy} inList /> },
  ];
}

function Next({ view }: { view: View }) {
  const t = useTexts("policies");
  if (view.policy.enabled === false) return t("nextOff");
  return view.next ? <Time at={view.next} /> : t("noNext");
}
