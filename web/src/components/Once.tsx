import {
  Button,
  Checkbox,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  MessageBar,
  MessageBarBody,
} from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import { useTexts } from "../texts";
import { Code } from "./Code";
import { useFormStyles } from "./form";

interface Props {
  title: string;
  /** What it costs to lose it. */
  warning: string;
  secret: string;
  /** What to do with it. */
  children?: ReactNode;
  onClose: () => void;
}

/** Shows what is shown only once, and goes when the person has said that they keep it. */
export function Once({ title, warning, secret, children, onClose }: Props) {
  const t = useTexts();
  const form = useFormStyles();
  const [kept, setKept] = useState(false);
  return (
    <Dialog open modalType="alert" onOpenChange={(_, { open }) => !open && kept && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent className={form.form}>
            <MessageBar intent="warning" layout="multiline">
              <MessageBarBody>{warning}</MessageBarBody>
            </MessageBar>
            <Code text={secret} />
            {children}
            <Checkbox label={t("once.kept")} checked={kept} onChange={(_, { checked }) => setKept(checked === true)} />
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" disabled={!kept} onClick={onClose}>
              {t("action.close")}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
