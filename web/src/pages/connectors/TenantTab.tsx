import { Button, Field, MessageBar, MessageBarBody, MessageBarTitle, Radio, RadioGroup, Text } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { useTyped } from "../../components/typed";
import { useTexts } from "../../texts";
import { bodyOfSync, syncOf } from "../connect/sync";
import { SyncFields } from "../connect/SyncFields";
import { WorkerField } from "../connect/WorkerField";
import "./texts";

type Settings = Schemas["SettingsView"];

/** XM-07: how users are licensed, how often they are looked for, and who backs them up. */
export function TenantTab({ connector }: { connector: string }) {
  const settings = api.useQuery("get", "/connectors/{name}/tenant-settings", { params: { path: { name: connector } } });
  return <Loaded query={settings}>{(data) => <Form connector={connector} settings={data} />}</Loaded>;
}

function Form({ connector, settings }: { connector: string; settings: Settings }) {
  const form = useFormStyles();
  const t = useTexts("connectors");
  const tell = useTell();
  const { draft, change, saved } = useTyped({ licensing: settings.licensing, sync: syncOf(settings.sync), worker: settings.worker ?? "" });
  const { licensing, sync, worker } = draft;
  const save = api.useMutation("put", "/connectors/{name}/tenant-settings", {
    onSuccess: () => {
      tell(t("tenant.saved"));
      return saved();
    },
  });
  const when = bodyOfSync(sync);
  const body = { licensing, ...(when && { sync: when }), worker: worker || null };
  return (
    <form
      className={`${form.form} ${form.narrow}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (when) save.mutate({ params: { path: { name: connector } }, body });
      }}
    >
      {settings.sync_error && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{t("tenant.failed")}</MessageBarTitle>
            {settings.sync_error}
          </MessageBarBody>
        </MessageBar>
      )}
      <Section title={t("tenant.licensing")}>
        <Text>{settings.licensing_scope}</Text>
        <Field>
          <RadioGroup aria-label={t("tenant.licensing")} value={licensing} onChange={(_, { value }) => change({ licensing: value })}>
            <Radio value="automatic" label={t("tenant.automatic")} />
            <Radio value="manual" label={t("tenant.manual")} />
          </RadioGroup>
        </Field>
      </Section>
      <Section title={t("tenant.sync")}>
        <SyncFields sync={sync} onChange={(value) => change({ sync: value })} />
      </Section>
      <Section title={t("tenant.worker")}>
        <WorkerField connector={connector} value={worker} onChange={(value) => change({ worker: value })} />
      </Section>
      <Refusal error={save.error} />
      <div>
        <Button appearance="primary" type="submit" disabled={save.isPending || !when}>
          {t("action.save")}
        </Button>
        <ShowAs cli={["connector", "license", "mode", connector, licensing]} method="PUT" path={`/connectors/${encodeURIComponent(connector)}/tenant-settings`} body={body} />
      </div>
    </form>
  );
}
