import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Body1,
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  makeStyles,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  Spinner,
  Text,
  tokens,
} from "@fluentui/react-components";
import { CheckmarkRegular } from "@fluentui/react-icons";
import { useRef, useState } from "react";
import { useFormStyles } from "../../components/form";
import { OutLink } from "../../components/Outside";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { PermissionTable } from "../apps/PermissionTable";
import { forget, useMethods, type Begin, type WizardView } from "./data";
import { Failure } from "./Failure";
import { Hints } from "./Hints";
import "./texts";
import { useSignIn } from "./useSignIn";

const useStyles = makeStyles({
  asked: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS },
  one: { display: "flex", gap: tokens.spacingHorizontalS, alignItems: "flex-start" },
  words: { display: "flex", flexDirection: "column" },
  quiet: { color: tokens.colorNeutralForeground2 },
  mark: { color: tokens.colorBrandForeground1, fontSize: "20px", flexShrink: 0 },
});

interface Props {
  request: Begin;
  organization: string;
  onDone: (wizard: WizardView) => void;
  /** Nothing is kept (SRE-17). */
  onCancel: () => void;
}

/** SRE-16: what is asked for, then Microsoft's own page in a window that this page waits for. */
export function AuthorizeDialog({ request, organization, onDone, onCancel }: Props) {
  const form = useFormStyles();
  const t = useTexts("connect");
  const { opened, open, cancel, again, url, failure, error } = useWindow(request, onDone, onCancel);
  const devops = request.service === "azure-devops";
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && data.type !== "backdropClick" && cancel()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t(devops ? "authorize.title" : "authorize.titleMicrosoft")}</DialogTitle>
          <DialogContent className={form.form}>
            <Body1>{t("authorize.intro")}</Body1>
            <Rights keys={[devops ? "readWrite" : "readDirectory", "behalf"]} />
            <All service={request.service} />
            {opened === "no" && !failure && <Hints service={request.service} abouts={["personal-account", "consent"]} />}
            <div aria-live="polite">
              {opened === "yes" && !failure && <Spinner size="tiny" labelPosition="after" label={t("authorize.waiting")} />}
              {opened === "blocked" && !failure && url && <Blocked url={url} />}
            </div>
            {failure && <Failure failure={failure} service={request.service} organization={organization} />}
            <Refusal error={error} />
          </DialogContent>
          <DialogActions>
            <Button appearance="secondary" onClick={cancel}>
              {t("cancel")}
            </Button>
            {failure || error ? (
              <Button appearance="primary" onClick={again}>
                {t("signIn.again")}
              </Button>
            ) : (
              <Button appearance="primary" disabled={!url} onClick={open}>
                {url === undefined ? t("authorize.preparing") : t(opened === "no" ? "authorize.authorize" : "authorize.open")}
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

/** The sign-in in a window of its own, which goes when it is over, however it ends. */
function useWindow(request: Begin, onDone: (wizard: WizardView) => void, onCancel: () => void) {
  const popup = useRef<Window | null>(null);
  const [opened, setOpened] = useState<"no" | "yes" | "blocked">("no");
  const close = () => popup.current?.close();
  const { wizard, failure, error, again } = useSignIn(request, opened !== "no", (signedIn) => {
    close();
    onDone(signedIn);
  });
  const url = wizard?.sign_in?.url;
  return {
    opened,
    url,
    failure,
    error,
    open: () => {
      if (!url) return;
      popup.current = window.open(url, "keepward-sign-in", "popup,width=560,height=740");
      setOpened(popup.current ? "yes" : "blocked");
    },
    cancel: () => {
      close();
      if (wizard) void forget(wizard.id).catch(() => undefined);
      onCancel();
    },
    again: () => {
      close();
      setOpened("no");
      again();
    },
  };
}

/** What the account lets Keepward do, and why. */
function Rights({ keys }: { keys: readonly string[] }) {
  const styles = useStyles();
  const t = useTexts("connect");
  return (
    <ul className={styles.asked}>
      {keys.map((key) => (
        <li key={key} className={styles.one}>
          <CheckmarkRegular className={styles.mark} aria-hidden />
          <span className={styles.words}>
            <Text weight="semibold">{t(`authorize.${key}`)}</Text>
            <Text size={200} className={styles.quiet}>
              {t(`authorize.${key}Why`)}
            </Text>
          </span>
        </li>
      ))}
    </ul>
  );
}

function All({ service }: { service: string }) {
  const t = useTexts("connect");
  const permissions = useMethods(service).data?.permissions ?? [];
  return (
    <Accordion collapsible>
      <AccordionItem value="all">
        <AccordionHeader size="small">{t("authorize.all")}</AccordionHeader>
        <AccordionPanel>
          <PermissionTable permissions={permissions.filter(({ type }) => type === "delegated")} />
        </AccordionPanel>
      </AccordionItem>
    </Accordion>
  );
}

/** XA-06, SRE-45: the browser let no window open. A link that a person clicks is never blocked. */
function Blocked({ url }: { url: string }) {
  const t = useTexts("connect");
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{t("authorize.blocked")}</MessageBarTitle>
        <OutLink to={url}>{t("authorize.blockedOnce")}</OutLink>
        . {t("authorize.blockedHow", { origin: location.origin })} {t("authorize.blockedSession")}
      </MessageBarBody>
    </MessageBar>
  );
}
