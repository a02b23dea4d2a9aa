import { Button, Card, makeStyles, Spinner, Subtitle2, Text, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { client, type Schemas } from "../../api/client";
import { Facts } from "../../components/Facts";
import { useFormStyles } from "../../components/form";
import { Refusal } from "../../components/Refusal";
import { Loaded } from "../../components/State";
import { useTexts } from "../../texts";
import { Checks } from "./Checks";
import { useChecks, type Check } from "./data";
import { isExpired } from "./refusals";
import { useSyncWords } from "../connectors/useSyncWords";
import { rulesOf } from "../policies/draft";
import { retentionWords } from "../policies/words";
import { CredentialName } from "../vault/Words";
import { type Settings } from "./settings";
import { bodyOfSync } from "./sync";

const useStyles = makeStyles({
  title: { margin: 0 },
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

interface Props {
  wizard: string;
  account: string;
  body: Schemas["AddWizard"];
  settings: Settings;
  /** Show what was checked here, where no page before did. */
  withChecks: boolean;
  /** The server has forgotten the wizard. */
  onExpired: () => void;
}

/** SRE-25: what would be added; nothing is saved yet. */
export function ReviewStep({ wizard, account, body, settings, withChecks, onExpired }: Props) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("connect");
  const policies = useTexts("policies");
  const drafts = useQuery({
    queryKey: ["wizard-review", wizard, body],
    queryFn: async () => {
      const { data } = await client.POST("/connect/{id}/review", { params: { path: { id: wizard } }, body });
      return data?.items ?? [];
    },
    staleTime: "static",
    gcTime: 0,
    retry: false,
  });
  const organizations = (body.connectors ?? []).map(({ organization }) => organization);
  const syncWords = useSyncWords();
  const sync = bodyOfSync(settings.sync);
  const checks = useChecks(withChecks ? wizard : undefined, organizations);
  return (
    <div className={form.form}>
      <div>
        <Subtitle2 as="h2" className={styles.title}>{t("review.title")}</Subtitle2>
        <Text block>{t("review.about")}</Text>
      </div>
      {drafts.error ? (
        <>
          <Refusal error={drafts.error} />
          {isExpired(drafts.error) && (
            <div>
              <Button onClick={onExpired}>{t("signIn.again")}</Button>
            </div>
          )}
        </>
      ) : (
        <Loaded query={drafts}>
          {(items) => (
            <ul className={styles.list}>
              {items.map((draft) => (
                <li key={draft.name}>
                  <Card>
                    <Facts
                      facts={[
                        [t("review.name"), draft.name],
                        [t("review.organization"), draft.organization],
                        [t("server.label"), urlOf(body, draft.organization)],
                        [t("review.type"), draft.type],
                        [t("review.identity"), account],
                        [t("review.profile"), draft.app_profile && t(draft.app_profile.new ? "review.profileNew" : "review.profileThere", { name: draft.app_profile.name })],
                        [t("settings.sync"), sync && syncWords(sync)],
                        [t("review.worker"), settings.worker || t("settings.anyWorker")],
                        [t("settings.restore"), settings.restore ? <CredentialName key="restore" name={settings.restore} /> : t("settings.restoreSame")],
                        [t("settings.access"), settings.people.join(", ")],
                        [t("settings.keep"), settings.keep && retentionWords(policies, rulesOf(settings.keep))],
                      ]}
                    />
                  </Card>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      )}
      {withChecks && <CheckedNow query={checks} />}
    </div>
  );
}

/** The address of a server of their own: an organization of that name may be at the service, too. */
function urlOf({ connectors }: Schemas["AddWizard"], organization: string) {
  return connectors?.find((one) => one.organization.toLowerCase() === organization.toLowerCase())?.url;
}

function CheckedNow({ query }: { query: { data?: { organization: string; checks: Check[] }[] | undefined; error: unknown; isFetching: boolean } }) {
  const t = useTexts("connect");
  return (
    <div aria-live="polite">
      {query.isFetching && <Spinner size="tiny" labelPosition="after" label={t("organizations.checkingOne")} />}
      <Refusal error={query.error} />
      {query.data?.map(({ organization, checks }) => <Checks key={organization} checks={checks} />)}
    </div>
  );
}
