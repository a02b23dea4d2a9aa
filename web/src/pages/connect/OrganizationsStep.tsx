import { Button, Card, Checkbox, makeStyles, Spinner, Subtitle2, Text, tokens } from "@fluentui/react-components";
import { useFormStyles } from "../../components/form";
import { Empty } from "../../components/State";
import { useWrite } from "../../api/write";
import { Refusal } from "../../components/Refusal";
import { StatusBadge } from "../../components/StatusBadge";
import { useTexts } from "../../texts";
import { suggestName } from "./address";
import { Checks } from "./Checks";
import { discover, READS, useChecks, useConnectors, type Checked, type WizardView } from "./data";
import { Hints } from "./Hints";
import type { Machine, Pick } from "./machine";
import type { Kind } from "./types";

const useStyles = makeStyles({
  title: { margin: 0 },
  head: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS },
  name: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: tokens.spacingVerticalM },
});

interface Props {
  kind: Kind;
  machine: Machine;
  wizard: WizardView;
  /** What it found when it looked again. */
  onFound: (wizard: WizardView) => void;
  onPick: (pick: Pick) => void;
  onDrop: (organization: string) => void;
}

/** The organizations that were found and the one that was named, each once. */
export function allOf({ place }: Kind, wizard: WizardView, picks: readonly Pick[]): string[] {
  const found = wizard.organizations.map(({ organization }) => organization);
  const named = [wizard.organization, ...picks.map(({ organization }) => organization)].filter((name) => typeof name === "string");
  // A tenant has several domains: what is found by another than the one that was given is no second tenant.
  const names = place === "tenant" && named.length > 0 ? [] : found;
  for (const name of named) {
    if (!names.some((one) => one.toLowerCase() === name.toLowerCase())) names.push(name);
  }
  return names;
}

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** Every organization that the account reaches with a result of its own, also those that are left out (K-03); that it reaches none is a check (AV-07). */
export function OrganizationsStep({ kind, machine, wizard, onFound, onPick, onDrop }: Props) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("connect");
  const connectors = useConnectors();
  const names = allOf(kind, wizard, machine.picks);
  const checks = useChecks(wizard.id, names);
  const look = useWrite({
    ...READS,
    mutationFn: () => discover(wizard.id),
    onSuccess: (found) => {
      onFound(found);
      // Others than before are checked as soon as they are shown.
      if (names.length > 0 && allOf(kind, found, machine.picks).join() === names.join()) void checks.refetch();
    },
  });
  const again = (
    <div>
      <Button disabled={look.isPending || checks.isFetching} onClick={() => look.mutate()}>
        {t("organizations.again")}
      </Button>
      <Refusal error={look.error} />
    </div>
  );
  if (names.length === 0) {
    return (
      <>
        <Empty title={t("organizations.none")}>{t("organizations.noneHint")}</Empty>
        <Checks checks={wizard.checks} />
        {again}
      </>
    );
  }
  const toggle = (organization: string, on: boolean) => {
    if (!on) onDrop(organization);
    else onPick({ organization, name: suggestName(organization, [...connectors, ...machine.picks].map((one) => one.name)) });
  };
  return (
    <div className={form.form}>
      <Introduction kind={kind} machine={machine} wizard={wizard} />
      <div aria-live="polite">
        {checks.isFetching && <Spinner size="tiny" labelPosition="after" label={t(names.length > 1 ? "organizations.checking" : "organizations.checkingOne")} />}
      </div>
      <Refusal error={checks.error} />
      <ul className={styles.list}>
        {names.map((name) => (
          <li key={name}>
            <Organization
              kind={kind}
              name={name}
              reached={wizard.organizations.find(({ organization }) => organization === name)}
              result={checks.data?.find(({ organization }) => same(organization, name))}
              picked={machine.picks.some(({ organization }) => same(organization, name))}
              onToggle={(on) => toggle(name, on)}
            />
          </li>
        ))}
      </ul>
      {again}
    </div>
  );
}

/** Who reaches what, and what was checked of the sign-in itself. */
function Introduction({ kind, machine, wizard }: Omit<Props, "onFound" | "onPick" | "onDrop">) {
  const styles = useStyles();
  const t = useTexts("connect");
  const isTenant = kind.place === "tenant";
  const account = machine.account ?? "";
  // It has been named: it stands below.
  const checks = wizard.checks.filter(({ code }) => code !== "organization-needed");
  return (
    <>
      <Subtitle2 as="h2" className={styles.title}>{t(isTenant ? "organizations.titleTenant" : "organizations.title")}</Subtitle2>
      {account && wizard.organizations.length > 0 && <Text>{t(isTenant ? "organizations.aboutTenant" : "organizations.about", { account })}</Text>}
      {checks.length > 0 && <Checks checks={checks} />}
      {!isTenant && <Hints service={kind.service} abouts={["organization-permissions"]} title={t("before.account")} />}
    </>
  );
}

interface OrganizationProps {
  kind: Kind;
  name: string;
  /** As the account sees it; it may have been named without being found. */
  reached: WizardView["organizations"][number] | undefined;
  result: Checked | undefined;
  picked: boolean;
  onToggle: (on: boolean) => void;
}

function Organization({ kind, name, reached, result, picked, onToggle }: OrganizationProps) {
  const styles = useStyles();
  const t = useTexts("connect");
  const connected = useConnectors().find((one) => one.service === kind.service && one.method !== "pat" && same(one.organization, name));
  const closed = connected !== undefined || reached?.personal === true;
  return (
    <Card>
      <div className={styles.head}>
        <Checkbox
          className={styles.name}
          label={<strong>{name}</strong>}
          aria-label={t("organizations.pick", { organization: name })}
          checked={picked}
          disabled={closed}
          onChange={(_, { checked }) => onToggle(checked === true)}
        />
        {reached?.owner && <StatusBadge tone="neutral">{t("organizations.owner")}</StatusBadge>}
        {reached?.personal && <StatusBadge tone="warning">{t("organizations.personal")}</StatusBadge>}
        {connected && <StatusBadge tone="neutral">{t("organizations.connected", { name: connected.name })}</StatusBadge>}
        {/* What cannot be chosen is not told that it can be connected. */}
        {!closed && <Verdict result={result} />}
      </div>
      {result && !result.ok && kind.place !== "tenant" && <Text>{t("signIn.checkAccess", { organization: name })}</Text>}
      {result && <Checks checks={result.checks} />}
    </Card>
  );
}

function Verdict({ result }: { result: Checked | undefined }) {
  const t = useTexts("connect");
  if (!result) return null;
  return result.ok ? (
    <StatusBadge tone="good">{t("organizations.ok")}</StatusBadge>
  ) : (
    <StatusBadge tone="bad">{t("organizations.refused")}</StatusBadge>
  );
}
