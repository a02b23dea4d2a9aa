import { Button, Field, Input, Link, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Code } from "../../components/Code";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Once } from "../../components/Once";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { useTell } from "../../components/tell";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { Qr } from "./Qr";
import { spaced } from "./spaced";

/** One-time codes from an authenticator app: on, off, and the way there. */
export function SecondFactor() {
  const t = useTexts("account");
  const on = useMe().second_factor === "on";
  const [{ dialog }, show] = useShown();
  const close = () => show({ dialog: undefined });
  return (
    <Section title={t("codes.title")} about={t(on ? "codes.on" : "codes.off")}>
      <div>
        {on ? (
          <Button onClick={() => show({ dialog: "codes-off" })}>{t("codes.turnOff")}</Button>
        ) : (
          <Button onClick={() => show({ dialog: "codes" })}>{t("codes.turnOn")}</Button>
        )}
      </div>
      {dialog === "codes" && <SetUp onClose={close} />}
      {dialog === "codes-off" && on && <TurnOff onClose={close} />}
    </Section>
  );
}

function Proof({ password, onChange, error }: { password: string; onChange: (password: string) => void; error: unknown }) {
  const t = useTexts("account");
  return (
    <Field label={t("codes.proof")} hint={t("codes.proofHint")} required {...refusedAt(error)("/password")}>
      <Input type="password" value={password} onChange={(_, { value }) => onChange(value)} autoComplete="current-password" />
    </Field>
  );
}

/** Password, then the app's first code, then the recovery codes. */
function SetUp({ onClose }: { onClose: () => void }) {
  const t = useTexts("account");
  const tell = useTell();
  const [password, setPassword] = useState("");
  const begin = api.useMutation("post", "/me/second-factor", { meta: { reads: true } });
  // Only when the recovery codes are kept is the page to know that it is on.
  const confirm = api.useMutation("post", "/me/second-factor/confirm", { onSuccess: () => tell(t("codes.onNow")) });
  if (confirm.data) {
    return (
      <Once
        title={t("codes.recoveryTitle")}
        warning={t("codes.recoveryWarning")}
        secret={confirm.data.recovery_codes.join("\n")}
        onClose={onClose}
      />
    );
  }
  if (begin.data) {
    return <FirstCode app={begin.data} busy={confirm.isPending} error={confirm.error} onCode={(code) => confirm.mutate({ body: { code } })} onClose={onClose} />;
  }
  return (
    <FormDialog
      title={t("codes.setUp")}
      submit={begin.isPending ? t("codes.busy") : t("codes.go")}
      busy={begin.isPending}
      ready={password !== ""}
      error={begin.error}
      fields={["/password"]}
      onSubmit={() => begin.mutate({ body: { password } })}
      onCancel={onClose}
    >
      <Proof password={password} onChange={setPassword} error={begin.error} />
    </FormDialog>
  );
}

interface FirstCodeProps {
  /** What the authenticator app is told. */
  app: Schemas["Enrolled"];
  busy: boolean;
  error: unknown;
  onCode: (code: string) => void;
  onClose: () => void;
}

/** The app proves that it has the secret. */
function FirstCode({ app: { secret, otpauth_url: address, qr }, busy, error, onCode, onClose }: FirstCodeProps) {
  const t = useTexts("account");
  const [code, setCode] = useState("");
  return (
    <FormDialog
      title={t("codes.setUp")}
      submit={busy ? t("codes.busy") : t("codes.confirm")}
      busy={busy}
      ready={/^\d{6}$/.test(code.trim())}
      error={error}
      fields={["/code"]}
      onSubmit={() => onCode(code.trim())}
      onCancel={onClose}
    >
      <Text>{t("codes.scan")}</Text>
      <Qr rows={qr} label={t("codes.qr")} />
      <div>
        <Text block>{t("codes.secret")}</Text>
        <Code text={spaced(secret)} />
      </div>
      <div>
        <Text block>{t("codes.address")}</Text>
        <Code text={address} />
        {address.startsWith("otpauth://") && <Link href={address}>{t("codes.open")}</Link>}
      </div>
      <Field label={t("codes.code")} required {...refusedAt(error)("/code")}>
        <Input value={code} onChange={(_, { value }) => setCode(value)} autoComplete="one-time-code" inputMode="numeric" maxLength={8} />
      </Field>
    </FormDialog>
  );
}

function TurnOff({ onClose }: { onClose: () => void }) {
  const t = useTexts("account");
  const tell = useTell();
  const [password, setPassword] = useState("");
  const off = api.useMutation("post", "/me/second-factor/disable", {
    onSuccess: () => {
      tell(t("codes.offNow"));
      onClose();
    },
  });
  return (
    <FormDialog
      title={t("codes.offTitle")}
      submit={off.isPending ? t("codes.busy") : t("codes.turnOff")}
      busy={off.isPending}
      ready={password !== ""}
      error={off.error}
      fields={["/password"]}
      onSubmit={() => off.mutate({ body: { password } })}
      onCancel={onClose}
    >
      <Text>{t("codes.offAbout")}</Text>
      <Proof password={password} onChange={setPassword} error={off.error} />
    </FormDialog>
  );
}
