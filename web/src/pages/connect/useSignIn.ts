import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { Problem } from "../../api/problem";
import { useTexts } from "../../texts";
import { begin, poll, standing, type Begin, type WizardView } from "./data";
import type { SignInFailure } from "./refusals";

const LOOK = 1_500;
const LONGEST = 30;

/** How long to wait before looking again, in milliseconds. */
export function pause(wizard: WizardView): number {
  const wait = wizard.sign_in?.wait_seconds;
  return wait === undefined || wait === null ? LOOK : Math.min(Math.max(wait, 1), LONGEST) * 1_000;
}

/**
 * Begins a sign-in at the server and watches until somebody has signed in. A device code is asked about as often as the service
 * allows; a window of the browser is looked after while `watching`.
 */
export function useSignIn(request: Begin, watching: boolean, onDone: (wizard: WizardView) => void) {
  const t = useTexts("connect");
  const [attempt, setAttempt] = useState(0);
  const begun = useQuery({
    queryKey: ["wizard-begin", request, attempt],
    queryFn: () => begin(request),
    // What is read anew on the page must not begin anew here.
    staleTime: "static",
    gcTime: 0,
    retry: false,
  });
  const id = begun.data?.id;
  const device = begun.data?.sign_in?.user_code !== undefined && begun.data.sign_in.user_code !== null;
  const now = useQuery({
    queryKey: ["wizard-standing", id],
    queryFn: async () => {
      if (id === undefined) throw new Error("begun first");
      return device ? poll(id) : standing(id);
    },
    enabled: id !== undefined && watching,
    initialData: () => begun.data,
    staleTime: Infinity,
    gcTime: 0,
    retry: (_, error) => passes(error),
    refetchInterval: ({ state }) => {
      if (state.error && !passes(state.error)) return false;
      return state.data?.step === "sign-in" ? pause(state.data) : false;
    },
    refetchIntervalInBackground: true,
    refetchOnWindowFocus: !device,
  });
  const done = useEffectEvent(onDone);
  const wizard = now.data ?? begun.data;
  const step = wizard?.step;
  useEffect(() => {
    if (wizard && step === "choose") done(wizard);
  }, [step, wizard]);

  let failure: SignInFailure | undefined;
  if (wizard?.failure) {
    failure = wizard.failure;
  } else if (now.error && !passes(now.error)) {
    const problem = Problem.from(now.error);
    const hint = problem.code === "connect-session-unknown" ? t("signIn.expired") : problem.hint;
    failure = { code: problem.code, message: problem.message, hint };
  }
  return { wizard, failure, error: begun.error, again: () => setAttempt((before) => before + 1) };
}

/** No connection, or a server that starts anew: the sign-in itself goes on. */
function passes(error: unknown): boolean {
  const { status } = Problem.from(error);
  return status === 0 || status === 429 || status >= 502;
}
