import { Field, makeStyles, mergeClasses, Select, Subtitle2, tokens } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count } from "../../components/format";
import { useKinds, useKindTitle, withRows } from "../../components/kinds";
import { useShown } from "../../components/search";
import { useTexts } from "../../texts";
import { ofKinds, ofProjects, useCounts } from "./counts";
import type { SnapshotDetail } from "./snapshot";

const WIDE = "@media (min-width: 960px)";

const useStyles = makeStyles({
  nav: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM, minWidth: 0 },
  list: {
    display: "flex",
    flexWrap: "wrap",
    gap: "2px",
    listStyle: "none",
    margin: 0,
    padding: 0,
    [WIDE]: { flexDirection: "column" },
  },
  entry: {
    display: "flex",
    justifyContent: "space-between",
    gap: tokens.spacingHorizontalS,
    padding: "6px 8px",
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    overflowWrap: "anywhere",
  },
  open: { ":hover": { backgroundColor: tokens.colorSubtleBackgroundHover } },
  here: { backgroundColor: tokens.colorNeutralBackground2Selected, fontWeight: tokens.fontWeightSemibold },
  number: { color: tokens.colorNeutralForeground2 },
  title: { margin: `0 0 ${tokens.spacingVerticalXS}` },
});

// More projects are chosen from a list that opens.
const LISTED = 20;

interface Props {
  snapshot: SnapshotDetail;
  kinds: string[];
  current: string;
}

/** The kinds and projects of a snapshot with their counts; what is chosen of one narrows the other. */
export function KindNavigation({ snapshot, kinds, current }: Props) {
  const styles = useStyles();
  const t = useTexts("browse");
  return (
    <nav className={styles.nav} aria-label={t("kinds")}>
      <Kinds snapshot={snapshot} kinds={kinds} current={current} />
      <Projects snapshot={snapshot} current={current} />
    </nav>
  );
}

function Kinds({ snapshot, kinds, current }: Props) {
  const styles = useStyles();
  const t = useTexts("browse");
  const title = useKindTitle();
  const [{ project }] = useShown();
  const inProject = ofKinds(useCounts(snapshot).data?.items ?? [], project);
  // The rest is counted, and found in the items of others.
  const listed = new Set(withRows([...kinds, ...Object.keys(snapshot.kinds)], useKinds()));
  const known = [...kinds, ...Object.keys(snapshot.kinds).filter((kind) => !kinds.includes(kind))].filter(
    // What lies within items is counted for all projects together.
    (kind) => snapshot.kinds[kind] && (project === undefined || listed.has(kind)),
  );
  const items = (kind: string) => (project === undefined ? snapshot.kinds[kind]?.items : inProject.get(kind)) ?? 0;
  return (
    <div>
      <Subtitle2 as="h2" block className={styles.title}>
        {t("kinds")}
      </Subtitle2>
      <ul className={styles.list}>
        {known.map((kind) => (
          <li key={kind}>
            {listed.has(kind) ? (
              <Entry snapshot={snapshot.id} search={{ kind, ...(project && { project }) }} here={kind === current} items={items(kind)}>
                {title(kind)}
              </Entry>
            ) : (
              <span className={styles.entry} title={t("within")}>
                <span>{title(kind)}</span>
                <span className={styles.number}>{count(items(kind))}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Projects({ snapshot, current }: Omit<Props, "kinds">) {
  const styles = useStyles();
  const t = useTexts("browse");
  const [{ project }, show] = useShown();
  const projects = ofProjects(useCounts(snapshot).data?.items ?? [], current);
  if (projects.length === 0) return null;
  return (
    <div>
      <Subtitle2 as="h2" block className={styles.title}>
        {t("projects")}
      </Subtitle2>
      {projects.length > LISTED ? (
        <Field label={t("project")}>
          <Select value={project ?? ""} onChange={(_, { value }) => show({ project: value })}>
            <option value="">{t("allProjects")}</option>
            {projects.map(({ id, name, items }) => (
              <option key={id} value={id}>{`${name} (${count(items)})`}</option>
            ))}
          </Select>
        </Field>
      ) : (
        <ul className={styles.list}>
          <li>
            <Entry snapshot={snapshot.id} search={{ kind: current }} here={project === undefined}>
              {t("allProjects")}
            </Entry>
          </li>
          {projects.map(({ id, name, items }) => (
            <li key={id}>
              <Entry snapshot={snapshot.id} search={{ kind: current, project: id }} here={project === id} items={items}>
                <span dir="auto">{name}</span>
              </Entry>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface EntryProps {
  snapshot: string;
  search: Record<string, string>;
  here: boolean;
  items?: number;
  children: ReactNode;
}

function Entry({ snapshot, search, here, items, children }: EntryProps) {
  const styles = useStyles();
  return (
    <Link
      to="/snapshots/$id"
      params={{ id: snapshot }}
      search={search}
      className={mergeClasses(styles.entry, styles.open, here && styles.here)}
      // The router would take every entry for the current page: it is told by its search alone.
      activeOptions={{ includeSearch: true, exact: true }}
      aria-current={here ? "page" : undefined}
    >
      <span>{children}</span>
      {items !== undefined && <span className={styles.number}>{count(items)}</span>}
    </Link>
  );
}
