import { Caption1, Card, Checkbox, Field, makeStyles, Radio, RadioGroup, Subtitle2, Switch, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useAll } from "../../components/all";
import { useFormStyles } from "../../components/form";
import { when } from "../../components/format";
import { type Kind, useKinds, useKindTitle } from "../../components/kinds";
import { Section } from "../../components/Section";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { type Choice, lines } from "./draft";
import type { Editing } from "./editing";
import { PickItems } from "./PickItems";
import { Typed } from "./Typed";
import "./texts";

const useStyles = makeStyles({
  title: { margin: 0 },
  kinds: { display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(180px, 1fr))" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

/** The kinds of the services that there are connectors of; all where there is none yet. */
function useUsedKinds(): Kind[] {
  const { items } = useAll("/connectors", {});
  const used = new Set((items ?? []).map(({ service }) => service));
  const all = useKinds();
  return used.size === 0 ? all : all.filter(({ service }) => used.has(service));
}

/** Which kinds of data, and which of their items. */
export function SelectionPart({ draft, change, at }: Editing) {
  const t = useTexts("policies");
  const known = useUsedKinds();
  const { selection } = draft;
  const usual = known.filter(({ chosen }) => chosen).map(({ id }) => id);
  const kinds = [...new Set([...usual, ...Object.keys(selection.items)])];
  return (
    <Section title={t("selection.title")}>
      <Kinds draft={draft} change={change} at={at} known={known} />
      {kinds.map((kind) => (
        <ItemsOf key={kind} kind={kind} draft={draft} change={change} at={at} />
      ))}
    </Section>
  );
}

function Kinds({ draft, change, at, known }: Editing & { known: Kind[] }) {
  const styles = useStyles();
  const t = useTexts("policies");
  const title = useKindTitle();
  const { selection } = draft;
  const [some, setSome] = useState(selection.kinds.length > 0);
  const kinds = [...new Set([...known.map(({ id }) => id), ...selection.kinds])];
  const set = (chosen: string[]) => change({ selection: { ...selection, kinds: chosen } });
  return (
    <>
      <Field label={t("selection.kinds")} {...at("/selection/kinds")}>
        <RadioGroup
          value={some ? "some" : "all"}
          onChange={(_, { value }) => {
            setSome(value === "some");
            if (value === "all") set([]);
          }}
        >
          <Radio value="all" label={t("selection.allKinds")} />
          <Radio value="some" label={t("selection.someKinds")} />
        </RadioGroup>
      </Field>
      {some && (
        <div role="group" aria-label={t("selection.someKinds")}>
          <div className={styles.kinds}>
            {kinds.map((kind) => (
              <Checkbox
                key={kind}
                label={title(kind)}
                checked={selection.kinds.includes(kind)}
                onChange={(_, { checked }) =>
                  set(checked === true ? [...selection.kinds, kind] : selection.kinds.filter((one) => one !== kind))
                }
              />
            ))}
          </div>
          <Caption1 className={styles.quiet}>{t("selection.needs")}</Caption1>
        </div>
      )}
    </>
  );
}

function ItemsOf({ kind, draft, change, at }: Editing & { kind: string }) {
  const styles = useStyles();
  const t = useTexts("policies");
  const title = useKindTitle();
  const items = draft.selection.items;
  const choice = items[kind];
  const set = (to: Choice | undefined) => {
    const { [kind]: _, ...others } = items;
    change({ selection: { ...draft.selection, items: to ? { ...others, [kind]: to } : others } });
  };
  return (
    <Card>
      <Subtitle2 as="h3" className={styles.title}>
        {title(kind)}
      </Subtitle2>
      <RadioGroup
        layout="horizontal"
        aria-label={t("selection.items", { kind: title(kind).toLowerCase() })}
        value={choice ? "some" : "all"}
        onChange={(_, { value }) => set(value === "some" ? { include: [], exclude: [], new: true } : undefined)}
      >
        <Radio value="all" label={t("selection.all")} />
        <Radio value="some" label={t("selection.some")} />
      </RadioGroup>
      {choice && <ChoiceFields kind={kind} choice={choice} set={set} at={at} draft={draft} />}
    </Card>
  );
}

interface FieldsProps extends Omit<Editing, "change"> {
  kind: string;
  choice: Choice;
  set: (to: Choice) => void;
}

function ChoiceFields({ kind, choice, set, at, draft }: FieldsProps) {
  const styles = useFormStyles();
  const t = useTexts("policies");
  const may = useMay("read-content");
  // Picked items are written into the field, which then begins anew.
  const [picks, setPicks] = useState(0);
  const pointer = `/selection/items/${kind}`;
  const include = choice.include ?? [];
  return (
    <>
      <div className={styles.row}>
        <Typed
          key={picks}
          label={t("selection.include")}
          hint={t("selection.includeHint")}
          initial={include.join("\n")}
          rows={3}
          onText={(text) => set({ ...choice, include: lines(text) })}
          wrong={at(`${pointer}/include`)}
        />
        <Typed
          label={t("selection.exclude")}
          hint={t("selection.excludeHint")}
          initial={(choice.exclude ?? []).join("\n")}
          rows={3}
          onText={(text) => set({ ...choice, exclude: lines(text) })}
          wrong={at(`${pointer}/exclude`)}
        />
      </div>
      {may && (
        <PickItems
          kind={kind}
          connectors={draft.connectors}
          included={include}
          onPick={(names) => {
            set({ ...choice, include: [...include.filter(Boolean), ...names] });
            setPicks(picks + 1);
          }}
        />
      )}
      <Field hint={choice.new === false && choice.closed ? t("selection.newOff", { time: when(choice.closed) }) : t("selection.newHint")}>
        <Switch
          label={t("selection.new")}
          checked={choice.new ?? true}
          onChange={(_, { checked }) => set({ ...choice, new: checked })}
        />
      </Field>
    </>
  );
}
