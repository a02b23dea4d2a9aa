import { Button, makeStyles, SearchBox, Text, Toolbar, ToolbarButton, tokens } from "@fluentui/react-components";
import { AddRegular, ArrowClockwiseRegular, DeleteRegular, PlugConnectedRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import type { Column } from "../../components/DataTable";
import { Listing } from "../../components/Listing";
import { Page } from "../../components/Page";
import { usePaged } from "../../components/paged";
import { useShown } from "../../components/search";
import { useSettled } from "../../components/settled";
import { Empty } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useMay, useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { RemoveDialog } from "./RemoveDialog";
import { RowMenu } from "./RowMenu";
import { Standing } from "./Standing";
import "./texts";
import { Trouble } from "./Trouble";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS },
  search: { flexGrow: 1, maxWidth: "360px" },
});

type Connector = Schemas["ConnectorView"];

/** `/connectors`: all of them, how they stand, and what to do with them. */
export function Connectors() {
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  const [shown, setShown] = useShown();
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [removing, setRemoving] = useState<string[]>();
  const columns = useColumns((name) => setRemoving([name]));
  const typed = shown["filter"] ?? "";
  const q = useSettled(typed);
  const connectors = usePaged("/connectors", { query: { limit: 100, ...(q && { q }) } });
  const chosen = (connectors.items ?? []).map(({ name }) => name).filter((name) => selected.has(name));
  return (
    <Page title={t("title")} about={t("about")} actions={may && <Add />}>
      {(typed || q || connectors.items?.length !== 0) && (
        <Bar
          typed={typed}
          chosen={chosen.length}
          onType={(filter) => setShown({ filter })}
          onRefresh={() => void connectors.refetch()}
          onRemove={() => setRemoving(chosen)}
        />
      )}
      <Listing
        list={connectors}
        label={t("label")}
        columns={columns}
        id={({ name }) => name}
        name={({ name }) => name}
        {...(may && { selected, onSelect: setSelected })}
        empty={
          q ? (
            <Empty title={t("noneFits")} action={<Button onClick={() => setShown({ filter: undefined })}>{t("clearFilter")}</Button>} />
          ) : (
            <Nothing />
          )
        }
      />
      <Trouble />
      {removing && (
        <RemoveDialog
          names={removing}
          onDone={(stayed) => {
            setSelected(new Set(stayed));
            setRemoving(undefined);
          }}
          onCancel={() => setRemoving(undefined)}
        />
      )}
    </Page>
  );
}

/** Nothing is connected, or nothing that this person reaches. */
function Nothing() {
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  if (useMe().connectors) return <Empty title={t("unreached")}>{t("unreachedHint")}</Empty>;
  return (
    <Empty icon={<PlugConnectedRegular />} title={t("empty")} action={may && <Add />}>
      {may ? t("emptyHint") : t("emptyForbidden")}
    </Empty>
  );
}

function Add() {
  const t = useTexts("connectors");
  const navigate = useNavigate();
  return (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => void navigate({ to: "/connect" })}>
      {t("add")}
    </Button>
  );
}

function useColumns(onRemove: (name: string) => void): Column<Connector>[] {
  const t = useTexts("connectors");
  const acts = [useMay("manage-connectors"), useMay("run-backups")].includes(true);
  const actions: Column<Connector> = {
    key: "actions",
    title: t("column.actions"),
    width: 80,
    cell: ({ name, service }) => <RowMenu name={name} service={service} onRemove={() => onRemove(name)} />,
  };
  return [
    {
      key: "name",
      title: t("column.name"),
      grow: 2,
      cell: ({ name }) => (
        <TextLink to="/connectors/$name" params={{ name }}>
          {name}
        </TextLink>
      ),
    },
    { key: "status", title: t("column.status"), grow: 2, cell: (connector) => <Standing connector={connector} /> },
    { key: "service", title: t("column.service"), minor: true, cell: ({ service }) => t(`services.${service}`, { defaultValue: service }) },
    { key: "organization", title: t("column.organization"), grow: 2, minor: true, cell: ({ organization }) => organization },
    { key: "method", title: t("column.method"), minor: true, cell: ({ method }) => t(`method.${method}`, { defaultValue: method }) },
    ...(acts ? [actions] : []),
  ];
}

interface BarProps {
  typed: string;
  /** How many are selected. */
  chosen: number;
  onType: (text: string) => void;
  onRefresh: () => void;
  onRemove: () => void;
}

/** Narrows the list, reads it anew, and acts on what is selected. */
function Bar({ typed, chosen, onType, onRefresh, onRemove }: BarProps) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  return (
    <div className={styles.bar}>
      <SearchBox className={styles.search} aria-label={t("filter")} placeholder={t("filter")} value={typed} onChange={(_, { value }) => onType(value)} />
      <Toolbar aria-label={t("toolbar.label")}>
        <ToolbarButton icon={<ArrowClockwiseRegular />} onClick={onRefresh}>
          {t("action.refresh")}
        </ToolbarButton>
        {may && (
          // It keeps the focus when it has done its work and nothing is selected any more.
          <ToolbarButton icon={<DeleteRegular />} disabledFocusable={chosen === 0} onClick={onRemove}>
            {t("action.remove")}
          </ToolbarButton>
        )}
      </Toolbar>
      <Text aria-live="polite">{chosen > 0 && t("toolbar.selected", { count: chosen })}</Text>
    </div>
  );
}
