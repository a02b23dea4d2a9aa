import { Button, Field, Input, makeStyles, SearchBox, tokens } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { useAll } from "../../components/all";
import { ConnectorFilter } from "../../components/ConnectorFilter";
import { Filters } from "../../components/Filters";
import { FilterSelect } from "../../components/FilterSelect";
import { FilterText } from "../../components/FilterText";
import { useKinds } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/State";
import { ShowAs } from "../../components/ShowAs";
import { useShown } from "../../components/search";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { Results } from "./Results";
import { searchCli, searchQuery } from "./hits";
import "./texts";

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, alignItems: "flex-start" },
  go: { marginTop: "26px" },
  box: { maxWidth: "100%" },
  words: { flexGrow: 1, maxWidth: "640px", minWidth: "min(100%, 280px)" },
});

/** Full-text search over all snapshots. The address holds what is looked for. */
export function Search() {
  const styles = useStyles();
  const t = useTexts("search");
  const [shown, show] = useShown();
  const mayRead = useMay("read-content");
  const { q = "" } = shown;
  const [typed, setTyped] = useState(q);
  // The address changes from outside, too: back, and links that search.
  const [last, setLast] = useState(q);
  if (last !== q) {
    setLast(q);
    setTyped(q);
  }
  return (
    <Page title={t("title")} about={t(mayRead ? "about" : "aboutNames")} actions={q && <Shown shown={shown} />}>
      <form
        role="search"
        className={styles.line}
        onSubmit={(event) => {
          event.preventDefault();
          show({ q: typed.trim() });
        }}
      >
        <Field className={styles.words} label={t("words")} hint={t("hint")}>
          <SearchBox className={styles.box} value={typed} onChange={(_, { value }) => setTyped(value)} />
        </Field>
        <Button className={styles.go} appearance="primary" type="submit">
          {t("go")}
        </Button>
      </form>
      <Narrow />
      {q === "" ? (
        <Empty icon={<SearchRegular />} title={t("start")}>
          {t(mayRead ? "startHint" : "startHintNames")}
        </Empty>
      ) : (
        <Found />
      )}
    </Page>
  );
}

const NARROWED = ["kind", "project", "connector", "since", "until"] as const;

function Shown({ shown }: { shown: ReturnType<typeof useShown>[0] }) {
  const connectors = useAll("/connectors", {}).items;
  const cli = searchCli(shown, connectors?.find(({ name }) => name === shown["connector"])?.organization);
  return <ShowAs {...(cli && { cli })} method="GET" path={`/search?${new URLSearchParams(searchQuery(shown)).toString()}`} />;
}

function Narrow() {
  const t = useTexts("search");
  const [shown, show] = useShown();
  const kinds = useKinds().filter(({ within }) => !within);
  return (
    <Filters>
      <FilterSelect label={t("kind")} value={shown["kind"]} options={kinds.map(({ id, title }) => ({ value: id, title }))} onChange={(value) => show({ kind: value })} />
      <ConnectorFilter label={t("connector")} />
      <FilterText label={t("project")} value={shown["project"]} placeholder={t("projectHint")} onChange={(value) => show({ project: value })} />
      {(["since", "until"] as const).map((key) => (
        <Field key={key} label={t(key)}>
          <Input type="date" value={shown[key] ?? ""} onChange={(_, { value }) => show({ [key]: value })} />
        </Field>
      ))}
    </Filters>
  );
}

function Found() {
  const t = useTexts("search");
  const [shown, show] = useShown();
  const hits = usePaged("/search", { query: { ...searchQuery(shown), q: shown["q"] ?? "", limit: 50 } });
  const filtered = NARROWED.some((key) => shown[key]);
  return (
    <Loaded query={hits}>
      {({ items }) =>
        items.length === 0 && !hits.hasNextPage ? (
          <Empty
            title={t("none")}
            action={filtered && <Button onClick={() => show(Object.fromEntries(NARROWED.map((key) => [key, undefined])))}>{t("clear")}</Button>}
          >
            {t("noneHint")}
          </Empty>
        ) : (
          <Results hits={items} more={hits.hasNextPage} busy={hits.isFetchingNextPage} onMore={() => void hits.fetchNextPage()} />
        )
      }
    </Loaded>
  );
}
