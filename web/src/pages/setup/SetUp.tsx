import { Body1, Button, Field, Input, makeStyles, Radio, RadioGroup, Text, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { complete, format, NOWHERE, type Place } from "../repositories/location";
import { Doorway } from "../sign-in/Doorway";
import { FromFields } from "./FromFields";
import { Restored } from "./Restored";
import "./texts";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
  words: { display: "flex", flexDirection: "column" },
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

function Form() {
  const styles = useStyles();
  const t = useTexts("setup");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [{ way }, show] = useShown();
  const restores = way === "restore";
  const [token, setToken] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [place, setPlace] = useState<Place>(NOWHERE);
  const [repositoryPassword, setRepositoryPassword] = useState("");
  const [secret, setSecret] = useState("");
  const setup = api.useMutation("post", "/setup", {
    meta: { reads: true },
    onSuccess: async () => {
      queries.clear();
      if (restores) show({ way: "restored" });
      else await navigate({ to: "/" });
    },
  });
  const restore = {
    location: format(place),
    password: repositoryPassword,
    ...(place.storage !== "folder" && secret !== "" && { credential_secret: secret }),
  };
  const body: Schemas["SetUp"] = { token, name: name.trim(), password, ...(restores && { restore }) };
  const ready = !restores || (complete(place) && repositoryPassword !== "");
  const at = refusedAt(setup.error);
  const refused = setup.error ? Problem.from(setup.error) : undefined;
  return (
    <Doorway title={t("title")}>
      <Body1>{t("about")}</Body1>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !setup.isPending) setup.mutate({ body });
        }}
      >
        <Field label={t("way")}>
          <RadioGroup
            value={restores ? "restore" : "new"}
            onChange={(_, { value }) => show({ way: value === "restore" ? value : undefined })}
          >
            {(["new", "restore"] as const).map((one) => (
              <Radio
                key={one}
                value={one}
                label={
                  <span className={styles.words}>
                    <Text>{t(`ways.${one}`)}</Text>
                    <Text size={200}>{t(`ways.${one}About`)}</Text>
                  </span>
                }
              />
            ))}
          </RadioGroup>
        </Field>
        <Field label={t("token")} hint={t("tokenHint")} required {...at("/token")}>
          <Input value={token} onChange={(_, { value }) => setToken(value.trim())} autoComplete="off" spellCheck={false} />
        </Field>
        <Field label={t("name")} hint={t("nameHint")} required {...at("/name")}>
          <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="username" />
        </Field>
        <Field label={t("password")} hint={t("passwordHint")} required {...at("/password")}>
          <Input type="password" value={password} onChange={(_, { value }) => setPassword(value)} autoComplete="new-password" />
        </Field>
        {restores && (
          <FromFields
            place={place}
            onPlace={setPlace}
            password={repositoryPassword}
            onPassword={setRepositoryPassword}
            secret={secret}
            onSecret={setSecret}
            problem={refused}
          />
        )}
        <Refusal error={setup.error} fields={SHOWN} />
        <Button appearance="primary" type="submit" disabled={setup.isPending || !ready}>
          {setup.isPending ? t(restores ? "busyRestore" : "busy") : t(restores ? "submitRestore" : "submit")}
        </Button>
      </form>
    </Doorway>
  );
}
