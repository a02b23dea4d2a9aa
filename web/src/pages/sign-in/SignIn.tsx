import { Button, Divider, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { Doorway } from "./Doorway";
import "./texts";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

const route = getRouteApi("/sign-in");

/** Only ways inside this server: an address of another one in a link must not lead there. */
export function inside(to: string | undefined): string {
  const url = to === undefined ? undefined : URL.parse(to, location.origin);
  return url?.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}

export function SignIn() {
  const styles = useStyles();
  const t = useTexts("signIn");
  const { to } = route.useSearch();
  const queries = useQueryClient();
  const router = useRouter();
  const providers = api.useQuery("get", "/sign-in").data?.identity_providers ?? [];
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const session = api.useMutation("post", "/session", {
    onSuccess: () => {
      queries.clear();
      router.history.push(inside(to));
    },
  });
  const wantsCode = session.error ? Problem.from(session.error).code === "second-factor-needed" : false;
  const [asked, setAsked] = useState(false);
  if (wantsCode && !asked) setAsked(true);
  return (
    <Doorway title={t("title")}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          session.mutate({ body: { name, password, ...(code && { code }) } });
        }}
      >
        <Field label={t("name")} required>
          <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="username" />
        </Field>
        <Field label={t("password")} required>
          <Input
            type="password"
            value={password}
            onChange={(_, { value }) => setPassword(value)}
            autoComplete="current-password"
          />
        </Field>
        {asked && (
          <Field label={t("code")} hint={t("codeHint")} required>
            <Input value={code} onChange={(_, { value }) => setCode(value)} autoComplete="one-time-code" />
          </Field>
        )}
        {!wantsCode && <Refusal error={session.error} />}
        <Button appearance="primary" type="submit" disabled={session.isPending}>
          {t("submit")}
        </Button>
        {providers.length > 0 && <Divider>{t("or")}</Divider>}
        {providers.map((provider) => (
          <Button key={provider.name} as="a" href={`/api/v1/sign-in/${encodeURIComponent(provider.name)}?return_to=${encodeURIComponent(inside(to))}`}>
            {t("with", { title: provider.title })}
          </Button>
        ))}
      </form>
    </Doorway>
  );
}
