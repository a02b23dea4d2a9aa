import { Button, makeStyles, MessageBar, MessageBarBody, SearchBox, Spinner, Switch, Text, tokens } from "@fluentui/react-components";
import { ArrowSyncRegular } from "@fluentui/react-icons";
import { api, type Schemas } from "../../api/client";
import type { Column } from "../../components/DataTable";
import { useFormStyles } from "../../components/form";
import { Listing } from "../../components/Listing";
import { usePaged } from "../../components/paged";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { useSettled } from "../../components/settled";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Empty } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import "./texts";

type Entry = Schemas["EntryView"];

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  search: { maxWidth: "360px", flexGrow: 1 },
  name: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalXS, alignItems: "center" },
});

type Part = "users" | "groups" | "sites";

/** The users, groups or sites that the last look through the tenant found; of users, who is protected. */
export function DirectoryTab({ connector, part }: { connector: string; part: Part }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connectors");
  const [shown, setShown] = useShown();
  const typed = shown["search"] ?? "";
  const search = useSettled(typed);
  const entries = usePaged(`/connectors/{name}/${part}`, { path: { name: connector }, query: { limit: 100, ...(search && { search }) } });
  const license = api.useMutation("patch", "/connectors/{name}/users/{id}");
  const decide = (id: string, licensed: boolean | null) => license.mutate({ params: { path: { name: connector, id } }, body: { licensed } });
  const found = useFound(part);
  const protection = useProtection(connector, license.isPending, decide);
  return (
    <div className={form.form}>
      <Head connector={connector} part={part} />
      <SearchBox
        className={styles.search}
        aria-label={t("directory.search")}
        placeholder={t("directory.search")}
        value={typed}
        onChange={(_, { value }) => setShown({ search: value })}
      />
      <Refusal error={license.error} />
      <Listing
        list={entries}
        label={t("directory.table")}
        columns={part === "users" ? [...found, ...protection] : found}
        id={({ id }) => id}
        empty={search ? <Empty title={t("directory.noneFits")} /> : <Empty title={t("directory.none")}>{t("directory.noneHint")}</Empty>}
      />
    </div>
  );
}

/** What the tenant says of an entry. */
function useFound(part: Part): Column<Entry>[] {
  const styles = useStyles();
  const t = useTexts("connectors");
  return [
    {
      key: "name",
      title: t("directory.name"),
      grow: 2,
      cell: ({ name, enabled, waiting }) => (
        <span className={styles.name}>
          {name}
          {!enabled && part === "users" && <StatusBadge tone="neutral">{t("directory.disabled")}</StatusBadge>}
          {waiting && <StatusBadge tone="warning">{t("directory.waiting")}</StatusBadge>}
        </span>
      ),
    },
    { key: "address", title: t("directory.address"), grow: 2, cell: ({ address }) => address },
    { key: "nature", title: t("directory.nature"), cell: ({ nature }) => t(`directory.natures.${nature}`, { defaultValue: nature }) },
  ];
}

/** Whether a user is protected, and who said so: the rules, until a person decides otherwise. */
function useProtection(connector: string, busy: boolean, decide: (id: string, licensed: boolean | null) => void): Column<Entry>[] {
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  return [
    {
      key: "licensed",
      title: t("directory.licensed"),
      width: 130,
      cell: ({ id, name, licensed }) => (
        <>
          <Switch
            aria-label={t("directory.protect", { name })}
            checked={licensed ?? false}
            disabled={!may || busy}
            onChange={(_, { checked }) => decide(id, checked)}
          />
          {may && (
            <ShowAs
              of={name}
              cli={["connector", "license", licensed ? "remove" : "add", connector, id]}
              method="PATCH"
              path={`/connectors/${encodeURIComponent(connector)}/users/${encodeURIComponent(id)}`}
              body={{ licensed: !licensed }}
            />
          )}
        </>
      ),
    },
    {
      key: "by",
      title: t("directory.by"),
      width: 150,
      cell: ({ id, name, decided }) =>
        decided && may ? (
          <Button size="small" disabled={busy} aria-label={t("directory.resetOf", { name })} onClick={() => decide(id, null)}>
            {t("directory.reset")}
          </Button>
        ) : (
          t(decided ? "directory.byPerson" : "directory.byRule")
        ),
    },
  ];
}

/** How many are protected, and a look through the tenant at once. */
function Head({ connector, part }: { connector: string; part: string }) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  const params = { path: { name: connector } };
  const settings = api.useQuery("get", "/connectors/{name}/tenant-settings", { params });
  const sync = api.useMutation("post", "/connectors/{name}/sync");
  return (
    <Section
      title={t(`tab.${part}`)}
      actions={
        may && (
          <>
            <ShowAs cli={["connector", "sync", connector]} method="POST" path={`/connectors/${encodeURIComponent(connector)}/sync`} />
            <Button icon={sync.isPending ? <Spinner size="tiny" /> : <ArrowSyncRegular />} disabled={sync.isPending} onClick={() => sync.mutate({ params })}>
              {t("directory.sync")}
            </Button>
          </>
        )
      }
    >
      {settings.data && (
        <div className={styles.line}>
          {part === "users" && <Text>{t("directory.protected", { protected: settings.data.protected, users: settings.data.users })}</Text>}
          <Text>
            {t("directory.last")}
            <Time at={settings.data.synced} />
          </Text>
        </div>
      )}
      {sync.data && (
        <MessageBar intent={sync.data.kinds.some(({ error }) => error) ? "warning" : "success"} layout="multiline" role="status">
          <MessageBarBody>
            {sync.data.kinds.map(({ kind, listed, new: fresh, gone, error }) => (
              <div key={kind}>
                {error
                  ? t("directory.syncedError", { kind: t(`directory.kinds.${kind}`), why: error })
                  : t("directory.syncedKind", { kind: t(`directory.kinds.${kind}`), listed, new: fresh, gone })}
              </div>
            ))}
          </MessageBarBody>
        </MessageBar>
      )}
      <Refusal error={sync.error} />
    </Section>
  );
}
