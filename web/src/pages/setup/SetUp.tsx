import { Body1, Button, Field, Input, makeStyles, RadioGroup, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { ExplainedRadio } from "../../components/ExplainedRadio";
import { refusedAt } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { complete, format, NOWHERE } from "../repositories/location";
import { Doorway } from "../sign-in/Doorway";
import { Locked, useLock } from "../sign-in/Locked";
import { lockedFor } from "../sign-in/refusals";
import { FromFields, type Old } from "./FromFields";
import { Restored } from "./Restored";
import "./texts";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

/** The first start: the first administrator, and the repository of a server that is gone. */
export function SetUp() {
  const t = useTexts("setup");
  const [{ way }] = useShown();
  const query = api.useQuery("get", "/setup");
  if (way === "restored") return <Restored />;
  return (
    <Loaded query={query}>
      {({ needed }) =>
        needed ? (
          <Form />
        ) : (
          <Doorway title={t("done")}>
            <Body1>{t("doneHint")}</Body1>
            <Link to="/sign-in">{t("signIn")}</Link>
          </Doorway>
        )
      }
    </Loaded>
  );
}

const SHOWN = ["/token", "/name", "/password", "/restore/location", "/restore/password", "/restore/credential_secret"];

/** What is sent of it; nothing while something is missing. */
function bodyOf({ place, password, secret }: Old): Schemas["SetUp"]["restore"] | undefined {
  if (!complete(place) || password === "") return undefined;
  return { location: format(place), password, ...(place.storage !== "folder" && secret !== "" && { credential_secret: secret }) };
}

function Form() {
  const styles = useStyles();
  const t = useTexts("setup");
  const [{ way }, show] = useShown();
  const restores = way === "restore";
  const [admin, setAdmin] = useState<Admin>({ token: "", name: "", password: "" });
  const [old, setOld] = useState<Old>({ place: NOWHERE, password: "", secret: "" });
  const [locked, lock] = useLock();
  const setup = useSetup(restores, lock);
  const restore = restores ? bodyOf(old) : undefined;
  const ready = !restores || restore !== undefined;
  return (
    <Doorway title={t("title")}>
      <Body1>{t("about")}</Body1>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && locked === 0 && !setup.isPending) setup.mutate({ body: { ...admin, name: admin.name.trim(), ...(restore && { restore }) } });
        }}
      >
        <Field label={t("way")}>
          <RadioGroup
            value={restores ? "restore" : "new"}
            onChange={(_, { value }) => show({ way: value === "restore" ? value : undefined })}
          >
            {["new", "restore"].map((one) => (
              <ExplainedRadio key={one} value={one} title={t(`ways.${one}`)} about={[t(`ways.${one}About`)]} />
            ))}
          </RadioGroup>
        </Field>
        <AdminFields admin={admin} onChange={(change) => setAdmin((before) => ({ ...before, ...change }))} error={setup.error} />
        {restores && (
          <FromFields old={old} onChange={setOld} problem={setup.error ? Problem.from(setup.error) : undefined} />
        )}
        <Locked seconds={locked}>{(time) => t("locked", { wait: time })}</Locked>
        {lockedFor(setup.error) === undefined && <Refusal error={setup.error} fields={SHOWN} />}
        <Button appearance="primary" type="submit" disabled={setup.isPending || !ready || locked > 0}>
          {setup.isPending ? t(restores ? "busyRestore" : "busy") : t(restores ? "submitRestore" : "submit")}
        </Button>
      </form>
    </Doorway>
  );
}

function useSetup(restores: boolean, onError: (error: unknown) => void) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return api.useMutation("post", "/setup", {
    meta: { reads: true },
    onSuccess: async () => {
      // What is on the screen stays until the next page is: this one would ask whether set-up is needed, and its button would come back.
      queries.removeQueries({ type: "inactive" });
      await navigate(restores ? { to: "/setup", search: { way: "restored" }, replace: true } : { to: "/" });
    },
    onError,
  });
}

interface Admin {
  /** What the server printed when it started: whoever reads its log may set it up. */
  token: string;
  name: string;
  password: string;
}

interface AdminProps {
  admin: Admin;
  onChange: (change: Partial<Admin>) => void;
  error: unknown;
}

function AdminFields({ admin: { token, name, password }, onChange, error }: AdminProps) {
  const t = useTexts("setup");
  const at = refusedAt(error);
  return (
    <>
      <Field label={t("token")} hint={t("tokenHint")} required {...at("/token")}>
        <Input value={token} onChange={(_, { value }) => onChange({ token: value.trim() })} autoComplete="off" spellCheck={false} />
      </Field>
      <Field label={t("name")} hint={t("nameHint")} required {...at("/name")}>
        <Input value={name} onChange={(_, { value }) => onChange({ name: value })} autoComplete="username" />
      </Field>
      <Field label={t("password")} hint={t("passwordHint")} required {...at("/password")}>
        <Input type="password" value={password} onChange={(_, { value }) => onChange({ password: value })} autoComplete="new-password" />
      </Field>
    </>
  );
}
