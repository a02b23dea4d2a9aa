import { Body1, Button, Checkbox, Field, makeStyles, MessageBar, MessageBarBody, RadioGroup, Select, tokens } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api } from "../../api/client";
import { useAll } from "../../components/all";
import { ExplainedRadio } from "../../components/ExplainedRadio";
import { when } from "../../components/format";
import { refusedAt, useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Failed } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { Download } from "../browse/Download";
import { Stale } from "../browse/Frame";
import { useSnapshot } from "../browse/snapshot";
import { isFor, useSourceName } from "../browse/source";
import { type Entry, entryKey, type Origin, selectOf } from "./basket";
import { cliOf } from "./cli";
import { Selected } from "./Selected";
import { dropBasket, removeFromBasket } from "./useBasket";

const useStyles = makeStyles({
  actions: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS },
  hint: { color: tokens.colorNeutralForeground2 },
});

type Conflict = "skip" | "replace" | "duplicate";
const CONFLICTS: Conflict[] = ["skip", "replace", "duplicate"];

interface Props {
  origin: Origin;
  entries: Entry[];
  /** They lie in the basket, and leave it there. */
  inBasket: boolean;
}

/** What, from when, to where, and what to do with what is there: the questions before a plan. */
export function Wizard({ origin, entries, inBasket }: Props) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("restore");
  const [chosen, take] = useChosen(origin, entries, inBasket);
  const [conflict, setConflict] = useState<Conflict>("skip");
  const [missing, setMissing] = useState(false);
  const target = useTargets(origin);
  const plan = usePlan(origin, inBasket);
  const select = selectOf(chosen, missing);
  const whole = select !== undefined && select !== "mixed" && target.chosen !== undefined;
  const body = whole ? { snapshot: origin.id, target: { connector: target.chosen ?? "" }, conflict, select } : undefined;
  const at = refusedAt(plan.error);
  return (
    <form
      className={`${form.form} ${form.narrow}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (body && !plan.isPending) plan.mutate({ body });
      }}
    >
      <What origin={origin} chosen={chosen} inBasket={inBasket} mixed={select === "mixed"} onTake={take}>
        <Checkbox label={t("new.missing")} checked={missing} onChange={(_, { checked }) => setMissing(checked === true)} />
        <span className={styles.hint}>{t("new.missingHint")}</span>
      </What>
      <Section title={t("new.target")}>{target.field(at("/target/connector"))}</Section>
      <Section title={t("new.conflict")}>
        <RadioGroup aria-label={t("new.conflict")} value={conflict} onChange={(_, { value }) => setConflict(value as Conflict)}>
          {CONFLICTS.map((value) => (
            <ExplainedRadio key={value} value={value} title={t(`new.${value}`)} about={[t(`new.${value}Hint`)]} />
          ))}
        </RadioGroup>
      </Section>
      <Refusal error={plan.error} />
      <div className={styles.actions}>
        <Button appearance="primary" type="submit" disabled={!body || plan.isPending}>
          {t(plan.isPending ? "new.planning" : "new.plan")}
        </Button>
        {chosen.length > 0 && <Download snapshot={origin} entries={chosen} />}
        {body && <ShowAs cli={cliOf(origin.id, body.target.connector, conflict, body.select)} method="POST" path="/restore-plans" body={body} />}
      </div>
    </form>
  );
}

/** What is still chosen, and how to take something of it away: from the basket, where it lies there. */
function useChosen(origin: Origin, entries: Entry[], inBasket: boolean): [Entry[], (entry: Entry) => void] {
  const [left, setLeft] = useState(entries);
  const take = (entry: Entry) => {
    if (inBasket) removeFromBasket(origin.id, new Set([entryKey(entry)]));
    else setLeft(left.filter((one) => entryKey(one) !== entryKey(entry)));
  };
  return [inBasket ? entries : left, take];
}

/** Asks for the plan, and leads to it. */
function usePlan(origin: Origin, inBasket: boolean) {
  const navigate = useNavigate();
  return api.useMutation("post", "/restore-plans", {
    onSuccess: async ({ id }) => {
      await navigate({ to: "/restore/$id", params: { id } });
      if (inBasket) dropBasket(origin.id);
    },
  });
}

interface WhatProps {
  origin: Origin;
  chosen: Entry[];
  inBasket: boolean;
  /** What is chosen cannot be restored together. */
  mixed: boolean;
  onTake: (entry: Entry) => void;
  children: ReactNode;
}

function What({ origin, chosen, inBasket, mixed, onTake, children }: WhatProps) {
  const t = useTexts("restore");
  const source = useSourceName()(origin);
  const snapshot = useSnapshot(origin.id).data;
  const service = t(`services.${origin.service}`, { defaultValue: origin.service });
  return (
    <Section
      title={t("new.what")}
      actions={
        inBasket && (
          <Button size="small" onClick={() => dropBasket(origin.id)}>
            {t("new.clear")}
          </Button>
        )
      }
    >
      <Body1>{t("new.fromWhen", { source, service, time: when(origin.time) })}</Body1>
      {snapshot && <Stale snapshot={snapshot} />}
      <Selected entries={chosen} onRemove={onTake} />
      {chosen.length === 0 && <Body1>{t("new.nothingHint")}</Body1>}
      {mixed && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{t("new.mixed")}</MessageBarBody>
        </MessageBar>
      )}
      {children}
    </Section>
  );
}

/** The connectors of the snapshot's service: the original one first. */
function useTargets(origin: Origin) {
  const t = useTexts("restore");
  const connectors = useAll("/connectors", {});
  const [named, choose] = useState<string>();
  const fitting = (connectors.items ?? [])
    .filter(({ service }) => service === origin.service)
    .toSorted((one, other) => Number(isFor(other, origin)) - Number(isFor(one, origin)));
  // Into another organization only if somebody says so.
  const chosen = named ?? fitting.find((one) => isFor(one, origin))?.name;
  const original = fitting.find(({ name }) => name === chosen);
  const field = (refused: object) =>
    connectors.isError && !connectors.data ? (
      <Failed error={connectors.error} retry={() => void connectors.refetch()} />
    ) : connectors.isSuccess && fitting.length === 0 ? (
      <>
        <Body1>{t("new.noTarget")}</Body1>
        <TextLink to="/connectors">{t("new.connect")}</TextLink>
      </>
    ) : (
      <Field label={t("new.connector")} hint={original && !isFor(original, origin) ? t("new.otherHint") : undefined} {...refused}>
        <Select value={chosen ?? ""} onChange={(_, { value }) => choose(value)}>
          {chosen === undefined && <option value="">{t("new.choose")}</option>}
          {fitting.map((one) => (
            <option key={one.name} value={one.name}>
              {t(isFor(one, origin) ? "new.same" : "new.other", { name: one.name, organization: one.organization })}
            </option>
          ))}
        </Select>
      </Field>
    );
  return { chosen, field };
}
