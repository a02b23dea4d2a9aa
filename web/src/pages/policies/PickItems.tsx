import { Button, Checkbox, Field, makeStyles, SearchBox, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { FormDialog } from "../../components/FormDialog";
import { useKindTitle } from "../../components/kinds";
import { usePaged } from "../../components/paged";
import { Loaded } from "../../components/State";
import { useSettled } from "../../components/settled";
import { useTexts } from "../../texts";
import { picksOf } from "./picks";
import "./texts";

const useStyles = makeStyles({
  list: { maxHeight: "320px", overflowY: "auto", display: "flex", flexDirection: "column" },
  none: { color: tokens.colorNeutralForeground3 },
  open: { alignSelf: "flex-start" },
});

interface Props {
  kind: string;
  connectors: string[];
  included: string[];
  onPick: (names: string[]) => void;
}

/** Includes items by the names that they have in the newest snapshot. */
export function PickItems(props: Props) {
  const styles = useStyles();
  const t = useTexts("policies");
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button className={styles.open} size="small" onClick={() => setOpen(true)}>
        {t("selection.pick")}
      </Button>
      {open && <Picker {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function Picker({ kind, connectors, included, onPick, onClose }: Props & { onClose: () => void }) {
  const t = useTexts("policies");
  const title = useKindTitle();
  const [typed, setTyped] = useState("");
  const name = useSettled(typed);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (one: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(one);
    else next.delete(one);
    setChosen(next);
  };
  return (
    <FormDialog
      title={t("selection.pickTitle", { kind: title(kind).toLowerCase() })}
      submit={t("selection.pickAdd", { count: chosen.size })}
      busy={false}
      ready={chosen.size > 0}
      onSubmit={() => {
        onPick([...chosen]);
        onClose();
      }}
      onCancel={onClose}
    >
      <Field label={t("selection.pickSearch")}>
        <SearchBox value={typed} onChange={(_, { value }) => setTyped(value)} />
      </Field>
      <Found kind={kind} connectors={connectors} included={included} name={name} chosen={chosen} onToggle={toggle} />
    </FormDialog>
  );
}

interface FoundProps extends Omit<Props, "onPick"> {
  /** A part of the name that was searched for. */
  name: string;
  chosen: ReadonlySet<string>;
  onToggle: (name: string, on: boolean) => void;
}

/** Items of the newest snapshot that the policy's first plain connector has, or any. */
function Found({ kind, connectors, included, name, chosen, onToggle }: FoundProps) {
  const styles = useStyles();
  const t = useTexts("policies");
  const title = useKindTitle();
  const plain = connectors.find((one) => !/[*?]/.test(one));
  const newest = api.useQuery("get", "/snapshots", { params: { query: { limit: 1, ...(plain && { connector: plain }) } } });
  const snapshot = newest.data?.items[0]?.id;
  const params = { path: { id: snapshot ?? "" }, query: { kind, ...(name && { name }) } };
  const items = usePaged("/snapshots/{id}/items", params, { enabled: snapshot !== undefined });
  if (newest.data && snapshot === undefined) return <span className={styles.none}>{t("selection.pickNone")}</span>;
  return (
    <Loaded query={{ ...items, data: items.items, error: items.error ?? newest.error }}>
      {(found) => (
        <div className={styles.list} role="group" aria-label={title(kind)}>
          {found.length === 0 && <span className={styles.none}>{t("selection.pickNone")}</span>}
          {picksOf(found).map(({ pick, label }) => (
            <Checkbox
              key={pick}
              label={included.includes(pick) ? `${label} (${t("selection.picked")})` : label}
              checked={chosen.has(pick) || included.includes(pick)}
              disabled={included.includes(pick)}
              onChange={(_, { checked }) => onToggle(pick, checked === true)}
            />
          ))}
          {items.hasNextPage && (
            <Button appearance="subtle" disabled={items.isFetchingNextPage} onClick={() => void items.fetchNextPage()}>
              {t("action.loadMore")}
            </Button>
          )}
        </div>
      )}
    </Loaded>
  );
}
