import { Toast, ToastBody, ToastTitle, useToastController, type ToastIntent } from "@fluentui/react-components";
import { useCallback } from "react";
import { Problem } from "../api/problem";
import { listening, TOASTER } from "./toast";
import { Words } from "./Words";

/** Nothing in a message can be pressed: the keyboard does not go there, where Fluent would keep it. */
const NO_STOP = { tabIndex: undefined };

/** Says what happened, at the edge of the page; screen readers hear it. */
export function useTell() {
  const { dispatchToast } = useToastController(TOASTER);
  return useCallback(
    (title: string, body?: string, intent: ToastIntent = "success") =>
      void listening.then(() =>
        dispatchToast(
          <Toast>
            <ToastTitle>
              <Words text={title} />
            </ToastTitle>
            {body !== undefined && (
              <ToastBody>
                <Words text={body} />
              </ToastBody>
            )}
          </Toast>,
          // What went wrong takes longer to read, and to be seen at all.
          { intent, root: NO_STOP, ...(intent === "error" && { timeout: 20_000 }) },
        ),
      ),
    [dispatchToast],
  );
}

/** Says why something was refused that has no form to say it in: `onError: useTellRefusal()`. */
export function useTellRefusal() {
  const tell = useTell();
  return (error: unknown) => {
    const { message, hint } = Problem.from(error);
    tell(message, hint, "error");
  };
}
