import { Button, Divider, Field, Input, makeStyles, MessageBar, MessageBarBody, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { Problem } from "../../api/problem";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { Doorway } from "./Doorway";
import { Locked, useLock } from "./Locked";
import { inside, lockedFor, returned } from "./refusals";
import "./texts";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

/** The page asked for it just now: the next key belongs there. */
const focus = (input: HTMLInputElement | null) => input?.focus();

const route = getRouteApi("/sign-in");

export function SignIn() {
  const styles = useStyles();
  const t = useTexts("signIn");
  const { to, error, expired } = route.useSearch();
  const way = inside(to, location.origin);
  const [{ name, password, code }, setTyped] = useState({ name: "", password: "", code: "" });
  const type = (change: { name?: string; password?: string; code?: string }) => setTyped((before) => ({ ...before, ...change }));
  const [locked, lock] = useLock();
  const session = useSession(way, lock);
  const [asked, setAsked] = useState(false);
  const wantsCode = session.error ? Problem.from(session.error).code === "second-factor-needed" : false;
  if (wantsCode && !asked) setAsked(true);
  const startAnew = () => {
    session.reset();
    setAsked(false);
    type({ code: "", password: "" });
  };
  return (
    <Doorway title={t("title")}>
      <Arrival error={error} expired={expired} />
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!session.isPending) session.mutate({ body: { name, password, ...(asked && code && { code: code.trim() }) } });
        }}
      >
        {asked ? (
          <Field label={t("code")} hint={t("codeHint", { name })} required>
            <Input ref={focus} value={code} onChange={(_, { value }) => type({ code: value })} autoComplete="one-time-code" />
          </Field>
        ) : (
          <>
            <Field label={t("name")} required>
              <Input value={name} onChange={(_, { value }) => type({ name: value })} autoComplete="username" />
            </Field>
            <Field label={t("password")} required>
              <Input type="password" value={password} onChange={(_, { value }) => type({ password: value })} autoComplete="current-password" />
            </Field>
          </>
        )}
        <Locked seconds={locked}>{(time) => t("locked", { wait: time })}</Locked>
        {!wantsCode && lockedFor(session.error) === undefined && <Refusal error={session.error} />}
        <Button appearance="primary" type="submit" disabled={session.isPending || locked > 0}>
          {session.isPending ? t("busy") : t("submit")}
        </Button>
        {asked && (
          <Button appearance="subtle" onClick={startAnew}>
            {t("another")}
          </Button>
        )}
      </form>
      {!asked && <Providers way={way} />}
    </Doorway>
  );
}

/** Signs in, and goes where the person wanted to. */
function useSession(way: string, onError: (thrown: unknown) => void) {
  const queries = useQueryClient();
  const router = useRouter();
  return api.useMutation("post", "/session", {
    meta: { reads: true },
    onSuccess: () => {
      queries.clear();
      router.history.push(way);
    },
    onError,
  });
}

/** Why the person is here, when it is not by their own will. */
function Arrival({ error, expired }: { error: string | undefined; expired: boolean | undefined }) {
  const t = useTexts("signIn");
  const code = returned(error);
  if (code) {
    return (
      <MessageBar intent="error" layout="multiline" role="alert">
        <MessageBarBody>{t([`returned.${code}`, "returned.other"], { code })}</MessageBarBody>
      </MessageBar>
    );
  }
  if (!expired) return null;
  return (
    <MessageBar intent="info" layout="multiline" role="status">
      <MessageBarBody>{t("expired")}</MessageBarBody>
    </MessageBar>
  );
}

function Providers({ way }: { way: string }) {
  const t = useTexts("signIn");
  const providers = api.useQuery("get", "/sign-in").data?.identity_providers ?? [];
  if (providers.length === 0) return null;
  return (
    <>
      <Divider>{t("or")}</Divider>
      {providers.map((provider) => (
        <Button
          key={provider.name}
          as="a"
          href={`/api/v1/sign-in/${encodeURIComponent(provider.name)}?return_to=${encodeURIComponent(way)}`}
        >
          {t("with", { title: provider.title })}
        </Button>
      ))}
    </>
  );
}
