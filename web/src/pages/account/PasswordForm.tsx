import { Button, Field, Input, mergeClasses, Text } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { refusedAt, useFormStyles, wrong } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { useTell } from "../../components/tell";
import { useMe } from "../../shell/session";
import { useTexts } from "../../texts";

export function PasswordForm() {
  const t = useTexts("account");
  const form = useFormStyles();
  const me = useMe();
  const tell = useTell();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = api.useMutation("put", "/me/password", {
    onSuccess: () => {
      tell(t("password.done"), t("password.doneNext"));
      for (const clear of [setCurrent, setNext, setAgain]) clear("");
    },
  });
  const at = refusedAt(change.error);
  const differ = again !== "" && again !== next;
  const ready = current !== "" && next !== "" && again === next;
  if (!me.has_password) {
    return (
      <Section title={t("password.title")}>
        <Text>{t("password.none")}</Text>
      </Section>
    );
  }
  return (
    <Section title={t("password.title")} about={t("password.about")}>
      <form
        className={mergeClasses(form.form, form.narrow)}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !change.isPending) change.mutate({ body: { current, new: next } });
        }}
      >
        {/* Tells the browser's own password manager whose password it is. */}
        <input type="text" autoComplete="username" value={me.name} readOnly hidden />
        <Field label={t("password.current")} required {...at("/current")}>
          <Input type="password" value={current} onChange={(_, { value }) => setCurrent(value)} autoComplete="current-password" />
        </Field>
        <Field label={t("password.next")} hint={t("password.nextHint")} required {...at("/new")}>
          <Input type="password" value={next} onChange={(_, { value }) => setNext(value)} autoComplete="new-password" />
        </Field>
        <Field label={t("password.again")} required {...wrong(differ ? t("password.differ") : undefined)}>
          <Input type="password" value={again} onChange={(_, { value }) => setAgain(value)} autoComplete="new-password" />
        </Field>
        <Refusal error={change.error} fields={["/current", "/new"]} />
        <div>
          <Button type="submit" disabled={!ready || change.isPending}>
            {change.isPending ? t("password.busy") : t("password.save")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
