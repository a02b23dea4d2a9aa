import { Dropdown, Field, MessageBar, MessageBarBody, MessageBarTitle, Option } from "@fluentui/react-components";
import { api } from "../../api/client";
import { useTexts } from "../../texts";
import { policiesFor, unreached } from "./reach";
import "./texts";

const ANY = "";

/** The policies of which some back this connector up. */
export function usePoliciesFor(connector: string) {
  const policies = api.useQuery("get", "/policies").data?.items ?? [];
  return policiesFor(policies.map(({ policy }) => policy), connector);
}

interface Props {
  /** The connector whose backups it will run. */
  connector: string;
  /** The worker's name; empty for any. */
  value: string;
  onChange: (worker: string) => void;
}

/** The worker of a connector; warns of one that cannot reach where its backups go (XA-12, XA-13). */
export function WorkerField({ connector, value, onChange }: Props) {
  const t = useTexts("connect");
  const workers = api.useQuery("get", "/workers").data?.items ?? [];
  const repositories = api.useQuery("get", "/repositories").data?.items ?? [];
  const policies = usePoliciesFor(connector);
  const title = (name: string) => {
    const worker = workers.find((one) => one.name === name);
    return worker?.own ? t("settings.workerOwn", { name }) : name || t("settings.anyWorker");
  };
  const away = unreached(workers.find(({ name }) => name === value), policies, repositories);
  return (
    <>
      <Field label={t("settings.worker")} hint={t("settings.workerHint")}>
        <Dropdown
          value={title(value)}
          selectedOptions={[value || "*"]}
          onOptionSelect={(_, { optionValue }) => onChange(optionValue === "*" ? ANY : (optionValue ?? ANY))}
        >
          <Option value="*">{t("settings.anyWorker")}</Option>
          {workers.map(({ name }) => (
            <Option key={name} value={name} text={title(name)}>
              {title(name)}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <div aria-live="polite">
        {away.map(({ name, location }) => (
          <MessageBar key={name} intent="warning" layout="multiline">
            <MessageBarBody>
              <MessageBarTitle>{t("settings.unreached", { worker: value, repository: name })}</MessageBarTitle>
              {t("settings.unreachedWhy", { location })}
            </MessageBarBody>
          </MessageBar>
        ))}
      </div>
    </>
  );
}
