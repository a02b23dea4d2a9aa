import { Button, Field, Input, makeStyles, MessageBar, MessageBarBody, Select, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { Checks } from "../connect/Checks";
import type { Credential } from "./Words";

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "end", gap: tokens.spacingHorizontalM },
});

/** Signs in with a credential, where it is used or on a place that the person names. */
export function TestCredential({ credential }: { credential: Credential }) {
  const t = useTexts("vault");
  const styles = useStyles();
  const { name } = credential;
  const used = (credential.users ?? []).some((user) => user.startsWith("connector "));
  const [service, setService] = useState("azure-devops");
  const [organization, setOrganization] = useState("");
  const test = api.useMutation("post", "/credentials/{name}/test");
  const place = organization.trim() === "" ? {} : { service, organization: organization.trim() };
  const cli = organization.trim() === "" ? [] : ["--organization", organization.trim(), "--service", service];
  return (
    <Section title={t("testing.title")} about={used ? t("testing.about") : t("testing.aboutUnused")}>
      <form
        className={styles.line}
        onSubmit={(event) => {
          event.preventDefault();
          if (!test.isPending) test.mutate({ params: { path: { name } }, body: place });
        }}
      >
        {!used && (
          <>
            <Field label={t("testing.service")}>
              <Select value={service} onChange={(_, { value }) => setService(value)}>
                <option value="azure-devops">{t("testing.devops")}</option>
                <option value="microsoft-365">{t("testing.microsoft")}</option>
              </Select>
            </Field>
            <Field label={t("testing.organization")} required>
              <Input value={organization} onChange={(_, { value }) => setOrganization(value)} autoComplete="off" />
            </Field>
          </>
        )}
        <Button type="submit" disabled={test.isPending || (!used && organization.trim() === "")}>
          {test.isPending ? t("testing.busy") : t("testing.go")}
        </Button>
        <ShowAs
          cli={["credential", "test", name, ...cli]}
          method="POST"
          path={`/credentials/${encodeURIComponent(name)}/test`}
          body={place}
        />
      </form>
      <Refusal error={test.error} />
      {test.data && (
        <>
          <MessageBar intent={test.data.ok ? "success" : "error"} layout="multiline" role="status">
            <MessageBarBody>
              {t(test.data.ok ? "testing.good" : "testing.bad")}{" "}
              {test.data.connectors.length > 0 && t("testing.at", { connectors: test.data.connectors.join(", ") })}
            </MessageBarBody>
          </MessageBar>
          <Checks checks={test.data.checks} open />
        </>
      )}
    </Section>
  );
}
