import { useEffect, useReducer, useState } from "react";
import { useShown } from "../../components/search";
import { forget, useConnectors, type WizardView } from "./data";
import { firstPick, formOf, type ConnectionForm } from "./form";
import { hold, move, start, type Step, stepAt } from "./machine";
import { isComplete, USUAL, type Settings } from "./settings";
import type { Kind } from "./types";
import type { Given } from "./way";

/** What a person has said so far, and how far the wizard is with it, here and at the server. */
export function useWizard(kind: Kind, resumed: WizardView | undefined, given: Given) {
  const [shown, setShown] = useShown();
  const names = useConnectors().map(({ name }) => name);
  const [form, setForm] = useState(() => formOf(kind, resumed, given, names, shown["name"]));
  const [settings, setSettings] = useState(USUAL);
  const [view, setView] = useState(resumed);
  const signedIn = (wizard: WizardView) =>
    ({ type: "signed-in", wizard: wizard.id, account: wizard.account ?? "", pick: firstPick(kind, form, wizard, names) }) as const;
  const [machine, dispatch] = useReducer(move, undefined, () => {
    const fresh = start(kind.steps);
    return resumed ? move(fresh, signedIn(resumed)) : fresh;
  });
  const [pick] = machine.picks;
  const isHeld = (one: Step) => hold(machine, one) !== undefined || (one === "settings" && !isComplete(settings));
  const asked = shown["step"];
  const step = stepAt(machine, asked, isHeld);
  useEffect(() => {
    // An address that leads too far would be followed as soon as it can be, in the middle of typing.
    if (asked !== undefined && asked !== step) setShown({ step });
  }, [asked, step, setShown]);
  /** To another step; the browser's own way back leads here again. */
  const go = (to: Step | undefined) => setShown({ step: to, name: pick?.name }, "push");
  const beside = (by: number) => kind.steps[kind.steps.indexOf(step) + by];
  const next = () => {
    dispatch({ type: "next", from: step });
    go(beside(1));
  };

  const change = (made: Partial<ConnectionForm>) => {
    setForm((before) => ({ ...before, ...made }));
    if (made.name !== undefined && pick) dispatch({ type: "named", organization: pick.organization, name: made.name });
  };
  const set = (made: Partial<Settings>) => setSettings((before) => ({ ...before, ...made }));
  const done = (wizard: WizardView) => {
    setView(wizard);
    dispatch(signedIn(wizard));
    // The server keeps what was found; the name is this page's own until the end.
    setShown({ wizard: wizard.id, name: form.name });
  };
  /** Nobody goes on with it: the server would forget it by itself in half an hour. */
  const release = () => {
    if (machine.wizard !== undefined) void forget(machine.wizard).catch(() => undefined);
  };
  const drop = () => {
    release();
    setView(undefined);
    dispatch({ type: "forgotten" });
    setShown({ wizard: undefined, step: undefined, name: undefined });
  };
  return { form, change, settings, set, view, found: setView, machine, dispatch, pick, step, held: isHeld(step), go, next, back: () => go(beside(-1)), done, release, drop };
}
