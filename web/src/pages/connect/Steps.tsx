import { Button, makeStyles, mergeClasses, Text } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Schemas } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { addCli } from "./cli";
import { ConnectionStep } from "./ConnectionStep";
import { useChecks, type WizardView } from "./data";
import type { Machine, Step } from "./machine";
import { allOf, OrganizationsStep } from "./OrganizationsStep";
import { Progress, stepTitle } from "./Progress";
import { checksOf, isExpired } from "./refusals";
import { Refused } from "./Refused";
import { ReviewStep } from "./ReviewStep";
import { pickOf, wishesOf } from "./settings";
import { SettingsStep } from "./SettingsStep";
import type { Kind } from "./types";
import { type Outcome, useAdding } from "./useAdding";
import { useWizard } from "./useWizard";
import type { Given } from "./way";
import { WizardActions } from "./WizardActions";

const useStyles = makeStyles({
  // It has the focus to be read from here on, not to be used.
  part: { outlineStyle: "none" },
});

interface Props {
  kind: Kind;
  resumed: WizardView | undefined;
  given: Given;
  onDone: (outcome: Outcome) => void;
}

/** The steps of the wizard, one at a time, and what leads from one to the next. */
export function Steps({ kind, resumed, given, onDone }: Props) {
  const layout = useFormStyles();
  const styles = useStyles();
  const t = useTexts("connect");
  const navigate = useNavigate();
  const wizard = useWizard(kind, resumed, given);
  const { form, settings, view, machine, pick, step } = wizard;
  const body = bodyOf(kind, wizard);
  const add = useAdding(machine.wizard, body, onDone);
  const refused = useRefused(kind, machine, step === "organizations" ? view : undefined);
  const part = useFocusOnChange(step);
  const again = () => {
    add.reset();
    wizard.drop();
  };
  const cancel = () => {
    wizard.release();
    void navigate({ to: "/connectors" });
  };
  return (
    <div className={layout.form}>
      {kind.steps.length > 1 && <Progress kind={kind} steps={kind.steps} step={step} onStep={wizard.go} />}
      <div ref={part} tabIndex={-1} role="group" aria-label={stepTitle(t, kind, step)} className={mergeClasses(layout.form, styles.part)}>
        <Shown kind={kind} wizard={wizard} body={body} told={checksOf(add.error).length > 0} onAgain={again} />
        <Refused error={add.error} />
        {isExpired(add.error) && (
          <div>
            <Button onClick={again}>{t("signIn.again")}</Button>
          </div>
        )}
        {refused && <Text role="status">{t("organizations.held")}</Text>}
        <div aria-live="polite">{add.isPending && <Text>{t("review.adding")}</Text>}</div>
        <WizardActions
          step={step}
          held={refused || wizard.held}
          busy={add.isPending}
          showAs={
            pick && (
              <ShowAs
                cli={addCli({ ...form, service: kind.service, organization: pick.organization, name: pick.name, settings })}
                method="POST"
                path={`/connect/${machine.wizard}/add`}
                body={body}
              />
            )
          }
          onAdd={(run) => add.mutate(run)}
          onNext={wizard.next}
          onBack={wizard.back}
          onCancel={cancel}
        />
      </div>
    </div>
  );
}

type TheWizard = ReturnType<typeof useWizard>;

/** What is saved at the end. */
function bodyOf(kind: Kind, { form, settings, machine }: TheWizard): Schemas["AddWizard"] {
  return {
    connectors: machine.picks.map(({ organization, name }) => ({
      ...pickOf(organization, name, settings),
      ...(kind.place === "collection" && { url: form.url.trim() }),
    })),
    ...wishesOf(settings),
    ...(form.identity.keepAs !== "" && { credential_name: form.identity.keepAs.trim() }),
  };
}

interface ShownProps {
  kind: Kind;
  wizard: TheWizard;
  body: Schemas["AddWizard"];
  /** What was checked stands below, as a refusal tells it. */
  told: boolean;
  /** The server has forgotten the wizard, or somebody else is to sign in. */
  onAgain: () => void;
}

function Shown({ kind, wizard, body, told, onAgain }: ShownProps) {
  const { form, settings, view, found, machine, dispatch } = wizard;
  switch (wizard.step) {
    case "connection":
      return (
        <ConnectionStep
          kind={kind}
          form={form}
          onForm={wizard.change}
          account={machine.account}
          onDone={wizard.done}
          onForget={onAgain}
          onNext={wizard.next}
        />
      );
    case "organizations":
      return (
        view && (
          <OrganizationsStep
            kind={kind}
            machine={machine}
            wizard={view}
            onFound={found}
            onPick={(pick) => dispatch({ type: "picked", pick })}
            onDrop={(organization) => dispatch({ type: "dropped", organization })}
          />
        )
      );
    case "settings":
      return (
        <SettingsStep
          picks={machine.picks}
          onName={(organization, name) => dispatch({ type: "named", organization, name })}
          settings={settings}
          onSettings={wizard.set}
        />
      );
    case "review":
      return (
        machine.wizard !== undefined && (
          <ReviewStep
            wizard={machine.wizard}
            account={machine.account ?? ""}
            body={body}
            settings={settings}
            withChecks={!kind.steps.includes("organizations") && !told}
            onExpired={onAgain}
          />
        )
      );
  }
}

/** Whether a picked organization fails its checks. It would be refused at the end anyway: rather here, where it is explained. */
function useRefused(kind: Kind, machine: Machine, choosing: WizardView | undefined): boolean {
  const verdicts = useChecks(choosing?.id, choosing ? allOf(kind, choosing, machine.picks) : []).data ?? [];
  return machine.picks.some(({ organization }) =>
    verdicts.some((one) => !one.ok && one.organization.toLowerCase() === organization.toLowerCase()),
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
