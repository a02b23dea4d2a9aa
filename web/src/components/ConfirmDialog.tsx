import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  Input,
} from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import { useTexts } from "../texts";
import { Refusal } from "./Refusal";
import { shown } from "./unseen";

interface Props {
  title: string;
  /** What happens, and what does not. */
  children: ReactNode;
  /** The words of the button that does it. */
  action: string;
  /** The words of the button that does not, where "Cancel" could be misread. */
  dismiss?: string;
  /** The person has to type it, where something cannot be undone. */
  typed?: string | undefined;
  busy: boolean;
  /** There is something to do; true when absent. */
  ready?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Asks before something is removed or replaced. Mount it to open it. */
export function ConfirmDialog({ title, children, action, dismiss, typed, busy, ready = true, error, onConfirm, onCancel }: Props) {
  const t = useTexts();
  const [text, setText] = useState("");
  // What cannot be seen cannot be typed: its code can.
  const may = ready && !busy && (typed === undefined || text === typed || text === shown(typed));
  return (
    <Dialog open modalType="alert" onOpenChange={(_, { open }) => !open && !busy && onCancel()}>
      <DialogSurface>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            // A dialog stands outside the form that opened it, but events go there all the same.
            event.stopPropagation();
            if (may) onConfirm();
          }}
        >
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent>
              {children}
              {typed !== undefined && (
                <Field label={t("confirm.type", { name: typed })}>
                  <Input value={text} onChange={(_, { value }) => setText(value)} autoComplete="off" />
                </Field>
              )}
              <Refusal error={error} />
            </DialogContent>
            <DialogActions>
              <Button appearance="secondary" disabled={busy} onClick={onCancel}>
                {dismiss ?? t("action.cancel")}
              </Button>
              <Button appearance="primary" type="submit" disabled={!may}>
                {action}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
