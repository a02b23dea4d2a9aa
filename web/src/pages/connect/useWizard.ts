import { useReducer, useState } from "react";
import { useShown } from "../../components/search";
import { forget, useConnectors, type WizardView } from "./data";
import { firstPick, formOf, type ConnectionForm } from "./form";
import { move, start } from "./machine";
import { USUAL, type Settings } from "./settings";
import type { Kind } from "./types";

/** What a person has said so far, and how far the wizard is with it, here and at the server. */
export function useWizard(kind: Kind, resumed: WizardView | undefined, profile: string) {
  const [, setShown] = useShown();
  const names = useConnectors().map(({ name }) => name);
  const [form, setForm] = useState(() => formOf(kind, resumed, profile, names));
  const [settings, setSettings] = useState(USUAL);
  const [view, setView] = useState(resumed);
  const signedIn = (wizard: WizardView) =>
    ({ type: "signed-in", wizard: wizard.id, account: wizard.account ?? "", pick: firstPick(kind, form, wizard, names) }) as const;
  const [machine, dispatch] = useReducer(move, undefined, () => {
    const fresh = start(kind.steps);
    return resumed ? move(fresh, signedIn(resumed)) : fresh;
  });
  const [pick] = machine.picks;

  const change = (made: Partial<ConnectionForm>) => {
    setForm((before) => ({ ...before, ...made }));
    if (made.name !== undefined && pick) dispatch({ type: "named", organization: pick.organization, name: made.name });
  };
  const set = (made: Partial<Settings>) => setSettings((before) => ({ ...before, ...made }));
  const done = (wizard: WizardView) => {
    setView(wizard);
    dispatch(signedIn(wizard));
    setShown({ wizard: wizard.id });
  };
  /** Nobody goes on with it: the server would forget it by itself in half an hour. */
  const release = () => {
    if (machine.wizard !== undefined) void forget(machine.wizard).catch(() => undefined);
  };
  const drop = () => {
    release();
    setView(undefined);
    dispatch({ type: "forgotten" });
    setShown({ wizard: undefined });
  };
  return { form, change, settings, set, view, machine, dispatch, pick, done, release, drop };
}
