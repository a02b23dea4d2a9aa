import { Button, makeStyles, mergeClasses, Text, tokens } from "@fluentui/react-components";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useReducer, useRef, useState } from "react";
import { client, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { queries } from "../../api/queries";
import { useFormStyles } from "../../components/form";
import { Page } from "../../components/Page";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { ShowAs } from "../../components/ShowAs";
import { Failed, Loading } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { forbidden, gone, isExpired } from "./refusals";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { suggestName } from "./address";
import { Checks } from "./Checks";
import { addCli } from "./cli";
import { ConnectionStep } from "./ConnectionStep";
import { forget, READS, standing, useChecks, useConnectors, type WizardView } from "./data";
import { Done } from "./Done";
import { organizationOf, type ConnectionForm } from "./form";
import { NO_IDENTITY } from "./identity";
import { hold, move, start, type Pick, type Step } from "./machine";
import { OWN_APP } from "./MethodFields";
import { allOf, OrganizationsStep } from "./OrganizationsStep";
import { Progress, stepTitle } from "./Progress";
import { ReviewStep } from "./ReviewStep";
import { isComplete, pickOf, USUAL, wishesOf, type Settings } from "./settings";
import { SettingsStep } from "./SettingsStep";
import "./texts";
import { kindOf, type Kind } from "./types";

const useStyles = makeStyles({
  // It has the focus to be read from here on, not to be used.
  part: { outlineStyle: "none" },
  actions: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS, paddingTop: tokens.spacingVerticalM },
});

/** `/connect/$kind`: sign in, see what there is, check it, add it. */
export function Wizard() {
  const { kind: name = "" }: { kind?: string } = useParams({ strict: false });
  const t = useTexts("connect");
  const may = useMay("manage-connectors");
  const [shown] = useShown();
  const kind = kindOf(name);
  const trail = <TextLink to="/connect">{t("title")}</TextLink>;
  const title = kind ? t(`kind.${kind.name}.add`) : t("title");
  if (!kind || !may) {
    return (
      <Page title={title} trail={trail}>
        <Failed error={kind ? forbidden() : gone()} />
      </Page>
    );
  }
  return (
    <Page title={title} trail={trail} about={t(`kind.${kind.name}.about`)}>
      <Resumed key={kind.name} kind={kind} id={shown["wizard"]} done={shown["done"]} profile={shown["profile"]} />
    </Page>
  );
}

interface ResumedProps {
  kind: Kind;
  id: string | undefined;
  done: string | undefined;
  /** The app profile to sign in through. */
  profile: string | undefined;
}

function Resumed({ kind, id, done, profile = "" }: ResumedProps) {
  // A page that was loaded anew goes on with the wizard that its address names, while the server still knows it. What the page itself
  // puts into its address is nothing to resume.
  const [first] = useState(id);
  const t = useTexts("connect");
  const found = useQuery({
    queryKey: ["wizard-resume", first],
    queryFn: () => standing(first ?? "").catch(() => null),
    enabled: first !== undefined && done === undefined,
    staleTime: "static",
  });
  const [kept, setKept] = useState<Outcome>();
  if (done !== undefined) {
    return <Done title={t(`kind.${kind.name}.done`)} names={done.split(",")} {...kept} />;
  }
  if (first !== undefined && found.isPending) return <Loading />;
  const wizard = found.data?.step === "choose" && found.data.service === kind.service ? found.data : undefined;
  return <Steps kind={kind} resumed={wizard} profile={profile} onDone={setKept} />;
}

interface Outcome {
  names: string[];
  runs: string[];
  missing: string[];
}

interface StepsProps {
  kind: Kind;
  resumed: WizardView | undefined;
  profile: string;
  onDone: (outcome: Outcome) => void;
}

function Steps({ kind, resumed, profile, onDone }: StepsProps) {
  const layout = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const [, setShown] = useShown();
  const connectors = useConnectors();
  const mayRun = useMay("run-backups");
  const [form, setForm] = useState<ConnectionForm>(() => ({
    name: resumed?.organization ? suggestName(resumed.organization, connectors.map(({ name }) => name)) : "",
    place: resumed?.organization ?? "",
    url: "",
    identity: { ...NO_IDENTITY, method: methodOf(kind, resumed) },
    flow: kind.service === "microsoft-365" ? "device-code" : "code",
    app: { ...OWN_APP, profile },
  }));
  const [settings, setSettings] = useState<Settings>(USUAL);
  const [view, setView] = useState(resumed);
  const [machine, dispatch] = useReducer(move, undefined, () => {
    const fresh = start(kind.steps);
    return resumed ? move(fresh, signedIn(resumed, firstPick(resumed))) : fresh;
  });
  const [pick] = machine.picks;

  /** What was named, or the only one that was found. */
  function firstPick(wizard: WizardView): Pick | undefined {
    const named = kind.place === "part" ? form.place.trim() : (organizationOf(kind, form) ?? wizard.organization ?? undefined);
    const [only, ...rest] = wizard.organizations;
    const organization = named ?? (rest.length === 0 ? only?.organization : undefined);
    if (!organization) return undefined;
    const plain = organizationOf(kind, form) ?? organization;
    return { organization, name: form.name || suggestName(plain, connectors.map(({ name }) => name)) };
  }
  function done(wizard: WizardView) {
    setView(wizard);
    dispatch(signedIn(wizard, firstPick(wizard)));
    setShown({ wizard: wizard.id });
  }
  const drop = () => {
    add.reset();
    if (machine.wizard !== undefined) void forget(machine.wizard).catch(() => undefined);
    setView(undefined);
    dispatch({ type: "forgotten" });
    setShown({ wizard: undefined });
  };
  const body: Schemas["AddWizard"] = {
    connectors: machine.picks.map(({ organization, name }) => ({
      ...pickOf(organization, name, settings),
      ...(kind.place === "collection" && { url: form.url.trim() }),
    })),
    ...wishesOf(settings),
    ...(form.identity.keepAs !== "" && { credential_name: form.identity.keepAs.trim() }),
  };
  const add = useMutation({
    ...READS,
    mutationFn: async (run: boolean): Promise<Outcome> => {
      const path = { id: machine.wizard ?? "" };
      const { data } = await client.POST("/connect/{id}/add", { params: { path }, body: { ...body, run_backup: run } });
      const added = data?.connectors ?? [];
      const names = added.map(({ name }) => name);
      const missing = [...new Set(added.flatMap((one) => one.missing))];
      return { names, runs: data?.runs ?? [], missing };
    },
    onSuccess: (outcome) => {
      onDone(outcome);
      void queries.invalidateQueries();
      setShown({ wizard: undefined, done: outcome.names.join(",") });
    },
  });
  const cancel = () => {
    if (machine.wizard !== undefined) void forget(machine.wizard).catch(() => undefined);
    void navigate({ to: "/connectors" });
  };
  // A check that fails is refused at the end anyway: rather here, where it is explained.
  const choosing = machine.step === "organizations" && view;
  const verdicts = useChecks(choosing ? view.id : undefined, choosing ? allOf(kind, view, machine.picks) : []).data ?? [];
  const refused = machine.picks.some(({ organization }) =>
    verdicts.some((one) => !one.ok && one.organization.toLowerCase() === organization.toLowerCase()),
  );
  const checks = add.error ? (Problem.from(add.error).body.checks ?? []) : [];
  const part = useFocusOnChange(machine.step);
  const held = refused ? "nothing-picked" : hold(machine) ?? (machine.step === "settings" && !isComplete(settings) ? "name" : undefined);

  return (
    <div className={layout.form}>
      {kind.steps.length > 1 && <Progress kind={kind} steps={kind.steps} step={machine.step} onStep={(step) => dispatch({ type: "went", step })} />}
      <div ref={part} tabIndex={-1} role="group" aria-label={stepTitle(t, kind, machine.step)} className={mergeClasses(layout.form, styles.part)}>
        {machine.step === "connection" && (
          <ConnectionStep
            kind={kind}
            form={form}
            onForm={(change) => {
              setForm((before) => ({ ...before, ...change }));
              if (change.name !== undefined && pick) dispatch({ type: "named", organization: pick.organization, name: change.name });
            }}
            account={machine.account}
            onDone={done}
            onForget={drop}
            onNext={() => dispatch({ type: "next" })}
          />
        )}
        {machine.step === "organizations" && view && (
          <OrganizationsStep
            kind={kind}
            machine={machine}
            wizard={view}
            onPick={(chosen) => dispatch({ type: "picked", pick: chosen })}
            onDrop={(organization) => dispatch({ type: "dropped", organization })}
          />
        )}
        {machine.step === "settings" && (
          <SettingsStep
            picks={machine.picks}
            onName={(organization, name) => dispatch({ type: "named", organization, name })}
            settings={settings}
            onSettings={(change) => setSettings((before) => ({ ...before, ...change }))}
          />
        )}
        {machine.step === "review" && machine.wizard !== undefined && (
          <ReviewStep
            wizard={machine.wizard}
            account={machine.account ?? ""}
            body={body}
            settings={settings}
            withChecks={!kind.steps.includes("organizations")}
            onExpired={drop}
          />
        )}
        <Refusal error={add.error} />
        {checks.length > 0 && <Checks checks={checks} />}
        {isExpired(add.error) && (
          <div>
            <Button onClick={drop}>{t("signIn.again")}</Button>
          </div>
        )}
        {refused && <Text role="status">{t("organizations.held")}</Text>}
        <div aria-live="polite">{add.isPending && <Text>{t("review.adding")}</Text>}</div>
        <div className={styles.actions}>
          {machine.step !== "connection" && machine.step !== "review" && (
            <Button appearance="primary" disabled={held !== undefined} onClick={() => dispatch({ type: "next" })}>
              {t("action.next")}
            </Button>
          )}
          {machine.step === "review" && (
            <>
              <Button appearance="primary" disabled={add.isPending} onClick={() => add.mutate(false)}>
                {t("review.add")}
              </Button>
              {mayRun && (
                <Button disabled={add.isPending} onClick={() => add.mutate(true)}>
                  {t("review.addRun")}
                </Button>
              )}
            </>
          )}
          {machine.step === "review" && pick && (
            <ShowAs
              cli={addCli({ ...form, service: kind.service, organization: pick.organization, name: pick.name, settings })}
              method="POST"
              path={`/connect/${machine.wizard}/add`}
              body={body}
            />
          )}
          {machine.step !== "connection" && (
            <Button disabled={add.isPending} onClick={() => dispatch({ type: "back" })}>
              {t("action.back")}
            </Button>
          )}
          <Button appearance="subtle" disabled={add.isPending} onClick={cancel}>
            {t("cancel")}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** Puts the focus where the new step begins: what had it is gone with the old one. */
function useFocusOnChange(step: Step) {
  const ref = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) ref.current?.focus();
    shown.current = step;
  }, [step]);
  return ref;
}

function methodOf(kind: Kind, resumed: WizardView | undefined): string {
  return resumed && resumed.method !== "stored" ? resumed.method : (kind.methods?.[0] ?? "user");
}

function signedIn(wizard: WizardView, pick: Pick | undefined) {
  return { type: "signed-in", wizard: wizard.id, account: wizard.account ?? "", pick } as const;
}
