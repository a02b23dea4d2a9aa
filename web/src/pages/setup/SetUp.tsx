import { Button, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { Refusal } from "../../components/Refusal";
import { useTexts } from "../../texts";
import { Doorway } from "../sign-in/Doorway";
import "./texts";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

export function SetUp() {
  const styles = useStyles();
  const t = useTexts("setup");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [token, setToken] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const setup = api.useMutation("post", "/setup", {
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: "/" });
    },
  });
  return (
    <Doorway title={t("title")}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          setup.mutate({ body: { token, name, password } });
        }}
      >
        <Field label={t("token")} hint={t("tokenHint")} required>
          <Input value={token} onChange={(_, { value }) => setToken(value.trim())} autoComplete="off" />
        </Field>
        <Field label={t("name")} hint={t("nameHint")} required>
          <Input value={name} onChange={(_, { value }) => setName(value)} autoComplete="username" />
        </Field>
        <Field label={t("password")} hint={t("passwordHint")} required>
          <Input
            type="password"
            value={password}
            onChange={(_, { value }) => setPassword(value)}
            autoComplete="new-password"
          />
        </Field>
        <Refusal error={setup.error} />
        <Button appearance="primary" type="submit" disabled={setup.isPending}>
          {t("submit")}
        </Button>
      </form>
    </Doorway>
  );
}
