import { Link, SearchBox, Text, Table, TableBody, TableCell, TableHeader, TableHeaderCell, TableRow, makeStyles, tokens } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { DataTable, type Column } from "../../components/DataTable";
import { useFormStyles } from "../../components/form";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { Empty, Loaded } from "../../components/State";
import { StatusBadge } from "../../components/StatusBadge";
import { Time } from "../../components/Time";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import "./texts";

type Repository = Schemas["ReachedRepository"];

const useStyles = makeStyles({
  id: { fontFamily: tokens.fontFamilyMonospace },
  cell: { overflowWrap: "anywhere" },
  frame: { overflowX: "auto" },
  search: { maxWidth: "360px" },
});

/** SRE-27, SRE-28: what the identity reaches, asked from the service now. */
export function RepositoriesTab({ connector }: { connector: string }) {
  const form = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connectors");
  const [shown, setShown] = useShown();
  const repositories = api.useQuery("get", "/connectors/{name}/repositories", { params: { path: { name: connector } } });
  const chosen = shown["repository"];
  const filter = (shown["search"] ?? "").toLowerCase();
  const columns: Column<Repository>[] = [
    { key: "project", title: t("repositories.project"), cell: ({ project }) => project },
    { key: "name", title: t("repositories.name"), grow: 2, cell: ({ name }) => name },
    { key: "state", title: t("repositories.state"), width: 120, cell: ({ disabled }) => disabled && <StatusBadge tone="neutral">{t("repositories.disabled")}</StatusBadge> },
    {
      key: "commits",
      title: t("repositories.commits"),
      cell: ({ project, name }) => (
        <Link onClick={() => setShown({ repository: `${project}/${name}` })} aria-label={t("repositories.commitsOf", { name: `${project}/${name}` })}>
          {t("repositories.commits")}
        </Link>
      ),
    },
  ];
  return (
    <div className={form.form}>
      {chosen && <Commits connector={connector} repository={chosen} />}
      <Section title={t("repositories.label")} actions={<ShowAs cli={["connector", "test", connector, "--repositories"]} method="GET" path={`/connectors/${encodeURIComponent(connector)}/repositories`} />}>
        <Text>{t("repositories.about")}</Text>
        <Loaded query={repositories}>
          {({ items }) => {
            if (items.length === 0) return <Empty title={t("repositories.none")}>{t("repositories.noneHint")}</Empty>;
            const fitting = items.filter(({ project, name }) => `${project}/${name}`.toLowerCase().includes(filter));
            return (
              <>
                <SearchBox
                  className={styles.search}
                  aria-label={t("repositories.filter")}
                  placeholder={t("repositories.filter")}
                  value={shown["search"] ?? ""}
                  onChange={(_, { value }) => setShown({ search: value })}
                />
                <DataTable label={t("repositories.table")} items={fitting} columns={columns} id={({ id }) => id} />
              </>
            );
          }}
        </Loaded>
      </Section>
    </div>
  );
}

function Commits({ connector, repository }: { connector: string; repository: string }) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const commits = api.useQuery("get", "/connectors/{name}/commits", { params: { path: { name: connector }, query: { repository, limit: 20 } } });
  return (
    <Section
      title={t("repositories.commitsOf", { name: repository })}
      actions={<ShowAs cli={["connector", "test", connector, "--commits", repository]} method="GET" path={`/connectors/${encodeURIComponent(connector)}/commits?repository=${encodeURIComponent(repository)}`} />}
    >
      <Loaded query={commits}>
        {({ items }) =>
          items.length === 0 ? (
            <Text>{t("repositories.noCommits")}</Text>
          ) : (
            <div className={styles.frame} role="region" aria-label={t("repositories.commits")} tabIndex={0}>
              <Table size="small" aria-label={t("repositories.commitsOf", { name: repository })} style={{ minWidth: "560px" }}>
                <TableHeader>
                  <TableRow>
                    {["commit", "message", "author", "date"].map((key) => (
                      <TableHeaderCell key={key}>{t(`repositories.${key}`)}</TableHeaderCell>
                    ))}
                  </TableRow>
                </TableHeader>
                <TableBody>
                  {items.map(({ id, message, author, date }) => (
                    <TableRow key={id}>
                      <TableCell>
                        <span className={styles.id}>{id.slice(0, 8)}</span>
                      </TableCell>
                      <TableCell className={styles.cell}>{message}</TableCell>
                      <TableCell className={styles.cell}>{author}</TableCell>
                      <TableCell>
                        <Time at={date} />
                      </TableCell>
                    </TableRow>
                  ))}
                </TableBody>
              </Table>
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}
