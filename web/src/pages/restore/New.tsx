import { Body1, Button, makeStyles, tokens } from "@fluentui/react-components";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { apart } from "../../components/apart";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { originOf } from "../browse/restore";
import { useSourceName } from "../browse/source";
import { useSnapshot } from "../browse/snapshot";
import { type Basket, isEntry } from "./basket";
import { useBaskets } from "./useBasket";
import { Wizard } from "./Wizard";
import "./texts";

const useStyles = makeStyles({
  choices: { display: "flex", flexDirection: "column", alignItems: "flex-start", gap: tokens.spacingVerticalS },
});

/** A restore from its beginning: what the address names, or what lies in a basket. */
export function New() {
  const t = useTexts("restore");
  const { snapshot, pick } = useSearch({ strict: false }) as { snapshot?: string; pick?: unknown };
  const baskets = useBaskets();
  const named = Array.isArray(pick) ? pick.filter(isEntry) : [];
  const kept = Object.values(baskets);
  const basket = snapshot === undefined ? (kept.length === 1 ? kept[0] : undefined) : baskets[snapshot];
  return (
    <Page title={t("new.title")} about={t("new.about")} trail={<TextLink to="/restore">{t("title")}</TextLink>}>
      {snapshot !== undefined && named.length > 0 ? (
        <Named snapshot={snapshot} entries={named} />
      ) : basket ? (
        <Wizard key={basket.origin.id} origin={basket.origin} entries={basket.entries} inBasket />
      ) : kept.length > 0 ? (
        <Which baskets={kept} />
      ) : (
        <Nothing />
      )}
    </Page>
  );
}

function Named({ snapshot, entries }: { snapshot: string; entries: Basket["entries"] }) {
  const query = useSnapshot(snapshot);
  return <Loaded query={query}>{(found) => <Wizard origin={originOf(found)} entries={entries} inBasket={false} />}</Loaded>;
}

function Which({ baskets }: { baskets: Basket[] }) {
  const styles = useStyles();
  const t = useTexts("restore");
  const navigate = useNavigate();
  const name = useSourceName();
  const told = apart(baskets.map(({ origin }) => origin));
  return (
    <div className={styles.choices}>
      <Body1>{t("new.which")}</Body1>
      {baskets.map(({ origin, entries }) => (
        <Button key={origin.id} onClick={() => void navigate({ to: ".", search: { snapshot: origin.id } })}>
          {t("new.basketOf", { source: name(origin), time: told(origin), count: entries.length })}
        </Button>
      ))}
    </div>
  );
}

function Nothing() {
  const t = useTexts("restore");
  return (
    <Empty
      title={t("new.nothing")}
      action={
        <>
          <TextLink to="/snapshots">{t("toSnapshots")}</TextLink>
          <TextLink to="/search">{t("toSearch")}</TextLink>
        </>
      }
    >
      {t("new.nothingHint")}
    </Empty>
  );
}
