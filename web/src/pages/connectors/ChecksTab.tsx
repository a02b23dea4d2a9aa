import { Button, MessageBar, MessageBarBody, Spinner, Text } from "@fluentui/react-components";
import { PulseRegular } from "@fluentui/react-icons";
import { useEffect, useRef } from "react";
import { api } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { useShown } from "../../components/search";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { useTexts } from "../../texts";
import { Checks } from "../connect/Checks";
import "./texts";
import { Trouble } from "./Trouble";

/** The preflight of a connector: what may be read, and what a missing permission costs. */
export function ChecksTab({ connector }: { connector: string }) {
  const form = useFormStyles();
  const t = useTexts("connectors");
  const [shown, setShown] = useShown();
  const test = api.useMutation("post", "/connectors/{name}/test");
  const now = shown["run"] === "now";
  const started = useRef(false);
  const { mutate } = test;
  useEffect(() => {
    // From the row's menu: the test was asked for there already.
    if (!now || started.current) return;
    started.current = true;
    setShown({ run: undefined });
    mutate({ params: { path: { name: connector } } });
  }, [now, setShown, mutate, connector]);
  const { data } = test;
  const failed = data?.checks.some(({ blocks }) => blocks);
  const verdict = failed ? t("checks.failed") : data?.missing ? t("checks.missing", { count: data.missing }) : t("checks.ok");
  const path = `/connectors/${encodeURIComponent(connector)}/test`;
  return (
    <div className={form.form}>
      <Section
        title={t("tab.checks")}
        actions={
          <>
            <ShowAs cli={["connector", "test", connector]} method="POST" path={path} />
            <Button appearance="primary" icon={<PulseRegular />} disabled={test.isPending} onClick={() => mutate({ params: { path: { name: connector } } })}>
              {t("checks.run")}
            </Button>
          </>
        }
      >
        <Text>{t("checks.about")}</Text>
        <div aria-live="polite">
          {test.isPending && <Spinner size="tiny" labelPosition="after" label={t("checks.running")} />}
          {data && !test.isPending && (
            <MessageBar intent={failed ? "error" : data.ok ? "success" : "warning"}>
              <MessageBarBody>{verdict}</MessageBarBody>
            </MessageBar>
          )}
          {test.isIdle && !now && <Text>{t("checks.never")}</Text>}
        </div>
        <Refusal error={test.error} />
        {data && <Checks checks={data.checks} open />}
      </Section>
      <Trouble />
    </div>
  );
}
