import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTexts } from "../texts";
import { useFormStyles } from "./form";
import { Refusal } from "./Refusal";
import { Ready } from "./ShowAs";

interface Props {
  title: string;
  /** The fields, one under the other. */
  children: ReactNode;
  /** The words of the button that does it. */
  submit: string;
  busy: boolean;
  /** What is filled in makes sense to send; true when absent. */
  ready?: boolean;
  error?: unknown;
  /** Pointers of the members whose refusals the fields show themselves. */
  fields?: readonly string[];
  /** The same outside the console, beside the buttons. */
  showAs?: ReactNode;
  onSubmit: () => void;
  onCancel: () => void;
}

/** A form over the page. Mount it to open it; a click beside it does not throw away what was typed. */
export function FormDialog({ title, children, submit, busy, ready = true, error, fields, showAs, onSubmit, onCancel }: Props) {
  const t = useTexts();
  const form = useFormStyles();
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && !busy && data.type !== "backdropClick" && onCancel()}>
      <DialogSurface>
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            // A dialog stands outside the form that opened it, but events go there all the same.
            event.stopPropagation();
            if (ready && !busy) onSubmit();
          }}
        >
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent className={form.form}>
              {children}
              <Refusal error={error} fields={fields} />
            </DialogContent>
            {showAs && (
              <DialogActions position="start">
                <Ready value={ready}>{showAs}</Ready>
              </DialogActions>
            )}
            <DialogActions position="end">
              <Button appearance="secondary" disabled={busy} onClick={onCancel}>
                {t("action.cancel")}
              </Button>
              <Button appearance="primary" type="submit" disabled={busy || !ready}>
                {submit}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
