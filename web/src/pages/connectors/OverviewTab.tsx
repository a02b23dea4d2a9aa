import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { Facts } from "../../components/Facts";
import { useFormStyles } from "../../components/form";
import { Section } from "../../components/Section";
import { Loaded } from "../../components/State";
import { TextLink } from "../../components/TextLink";
import { Time } from "../../components/Time";
import { useMay } from "../../shell/session";
import { useTexts } from "../../texts";
import { usePoliciesFor } from "../connect/WorkerField";
import { pageOf } from "../browse/source";
import { RunState } from "../runs/RunState";
import { useRunWords } from "../runs/words";
import { CredentialName, useAccount, useCredential } from "../vault/Words";
import { Standing } from "./Standing";
import { Trouble } from "./Trouble";
import { useSyncWords } from "./useSyncWords";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalS },
  run: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM, alignItems: "center" },
});

/** Where it leads, as whom, how it stands, and what it last did. */
export function OverviewTab({ connector }: { connector: Schemas["ConnectorView"] }) {
  const form = useFormStyles();
  const t = useTexts("connectors");
  const may = useMay("manage-connectors");
  const syncWords = useSyncWords();
  return (
    <div className={form.form}>
      <Section title={t("overview.connection")}>
        <Facts
          facts={[
            [t("fact.status"), <Standing key="status" connector={connector} />],
            [t("fact.since"), connector.status.since && <Time at={connector.status.since} />],
            [t("fact.service"), t(`services.${connector.service}`, { defaultValue: connector.service })],
            [t("fact.organization"), connector.organization],
            [t("fact.url"), connector.url],
            [t("fact.tenant"), connector.tenant],
            [t("fact.method"), t(`method.${connector.method}`, { defaultValue: connector.method })],
            [t("fact.account"), may && <Account key="account" credential={connector.credential} />],
            [t("fact.credential"), <CredentialName key="credential" name={connector.credential} />],
            [t("fact.restore"), connector.restore_credential ? <CredentialName key="restore" name={connector.restore_credential} /> : t("fact.restoreSame")],
            [t("fact.worker"), connector.worker ?? t("fact.anyWorker")],
            [t("fact.sync"), syncWords(connector.sync)],
            [t("fact.policies"), <BackedUpBy key="policies" connector={connector.name} />],
            [t("fact.created"), <Time key="created" at={connector.created} />],
            [t("fact.updated"), <Time key="updated" at={connector.updated} />],
          ]}
        />
      </Section>
      <Runs connector={connector} />
      <Trouble />
    </div>
  );
}

/** While it is not known what policies there are, nothing is said of what they leave out. */
function BackedUpBy({ connector }: { connector: string }) {
  const t = useTexts("connectors");
  const { data, isError } = api.useQuery("get", "/policies");
  const policies = usePoliciesFor(connector);
  if (!data) return isError ? t("state.failed") : t("state.loading");
  if (policies.length === 0) return t("fact.noPolicy");
  return policies.map(({ name }, at) => (
    <span key={name}>
      {at > 0 && ", "}
      <TextLink to="/policies/$name" params={{ name }} inline>
        {name}
      </TextLink>
    </span>
  ));
}

function Account({ credential }: { credential: string }) {
  const account = useAccount();
  const found = useCredential(credential);
  return <>{(found && account(found)) ?? "–"}</>;
}

function Runs({ connector: { name: connector, service, organization, address } }: { connector: Schemas["ConnectorView"] }) {
  const styles = useStyles();
  const t = useTexts("connectors");
  const { title } = useRunWords();
  const runs = api.useQuery("get", "/runs", { params: { query: { connector, limit: 5 } } });
  return (
    <Section
      title={t("overview.recent")}
      actions={
        <>
          <TextLink to="/runs" search={{ connector }}>
            {t("overview.all")}
          </TextLink>
          <TextLink {...pageOf({ service, source: organization, address })}>
            {t("overview.snapshots")}
          </TextLink>
        </>
      }
    >
      <Loaded query={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Text>{t("overview.noRuns")}</Text>
          ) : (
            <ul className={styles.list}>
              {items.map((run) => (
                <li key={run.id} className={styles.run}>
                  <RunState run={run} short />
                  <TextLink to="/runs/$id" params={{ id: run.id }}>
                    {title(run)}
                  </TextLink>
                  <Time at={run.created} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
