import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Subtitle2,
} from "@fluentui/react-components";
import type { Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { Facts } from "../../components/Facts";
import { useFormStyles } from "../../components/form";
import { when } from "../../components/format";
import { useTexts } from "../../texts";

/** Everything that an entry says. */
export function EntryDialog({ entry, onClose }: { entry: Schemas["Entry"]; onClose: () => void }) {
  const t = useTexts("audit");
  const form = useFormStyles();
  return (
    <Dialog open onOpenChange={(_, { open }) => !open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t("entry.title", { seq: entry.seq })}</DialogTitle>
          <DialogContent className={form.form}>
            <Facts
              facts={[
                [t("entry.time"), when(entry.time)],
                [t("entry.who"), entry.actor],
                [t("entry.kind"), t(`kind.${entry.kind}`, { defaultValue: entry.kind })],
                [t("entry.action"), entry.action],
                [t("entry.subject"), entry.subject],
                [t("entry.outcome"), t(`outcome.${entry.outcome}`, { defaultValue: entry.outcome })],
                [t("entry.address"), entry.address],
                [t("entry.request"), entry.request],
              ]}
            />
            <Subtitle2 as="h3">{t("entry.details")}</Subtitle2>
            <Code text={JSON.stringify(entry.details, null, 2)} />
            <Subtitle2 as="h3">{t("entry.hash")}</Subtitle2>
            <Code text={`${entry.seq}:${entry.hash}`} />
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{t("action.close")}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
