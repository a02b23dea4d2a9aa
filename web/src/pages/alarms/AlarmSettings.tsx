import { Body1, Button, Field, Input, makeStyles, Subtitle2, tokens } from "@fluentui/react-components";
import { api, type Schemas } from "../../api/client";
import { useAll } from "../../components/all";
import { refusedAt, useFormStyles } from "../../components/form";
import { span } from "../../components/format";
import { Refusal } from "../../components/Refusal";
import { Section } from "../../components/Section";
import { ShowAs } from "../../components/ShowAs";
import { Loaded } from "../../components/State";
import { useTell } from "../../components/tell";
import { useTyped } from "../../components/typed";
import { useMay, useMe } from "../../shell/session";
import { useTexts } from "../../texts";
import { cli, objectives, settingsOf } from "./alarm";
import "./texts";

type Settings = Schemas["AlarmSettingsBody"];

const useStyles = makeStyles({
  title: { margin: 0 },
  quiet: { color: tokens.colorNeutralForeground3 },
  own: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fill, minmax(min(220px, 100%), 1fr))",
    gap: tokens.spacingHorizontalM,
    alignItems: "start",
    // There may be hundreds of connectors.
    maxHeight: "360px",
    overflowY: "auto",
  },
  foot: { display: "flex", gap: tokens.spacingHorizontalM },
});

/** The objectives that alarms go by. */
export function AlarmSettings() {
  const t = useTexts("alarms");
  const styles = useStyles();
  const query = api.useQuery("get", "/alarms/settings");
  return (
    <Section title={t("settings.title")}>
      <Body1 className={styles.quiet}>{t("settings.about")}</Body1>
      <Loaded query={query}>{(settings) => <Form settings={settings} />}</Loaded>
    </Section>
  );
}

function Form({ settings }: { settings: Settings }) {
  const styles = useStyles();
  const form = useFormStyles();
  const t = useTexts("alarms");
  const tell = useTell();
  const manage = useMay("manage-policies");
  const may = useMe().connectors == null && manage;
  const { own: stored, ...limits } = objectives(settings);
  const { draft, change: set, saved } = useTyped(limits);
  // One connector by one: what others set for another one meanwhile stays.
  const own = useTyped(stored);
  const typed = { ...draft, own: own.draft };
  const save = api.useMutation("put", "/alarms/settings", {
    onSuccess: async () => {
      tell(t("settings.saved"), t("settings.savedBody"));
      await saved();
      await own.saved();
    },
  });
  const body = settingsOf(typed);
  const same = JSON.stringify(body) === JSON.stringify(settingsOf(objectives(settings)));
  const at = refusedAt(save.error);
  const field = (label: string, hint: string, value: string, pointer: string, onText: (text: string) => void) => (
    <Field label={label} hint={hint} {...at(pointer)}>
      <Input value={value} inputMode="numeric" disabled={!may} onChange={(_, data) => onText(data.value)} />
    </Field>
  );
  return (
    <form
      noValidate
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (may && !save.isPending) save.mutate({ body: { ...body, version: settings.version ?? null } });
      }}
    >
      <div className={form.row}>
        {field(
          t("settings.backup"),
          t("settings.backupHint", { words: span(body.backup_hours * 60) }),
          typed.backup,
          "/backup_hours",
          (backup) => set({ backup }),
        )}
        {field(t("settings.verify"), t("settings.verifyHint"), typed.verify, "/verify_days", (verify) => set({ verify }))}
        {field(t("settings.prune"), t("settings.pruneHint"), typed.prune, "/prune_days", (prune) => set({ prune }))}
        {field(t("settings.storage"), t("settings.storageHint"), typed.storage, "/storage_percent", (storage) => set({ storage }))}
      </div>
      <Own own={typed.own} may={may} onChange={own.change} at={at} />
      <Refusal error={save.error} fields={["/backup_hours", "/verify_days", "/prune_days", "/storage_percent"]} />
      {may ? (
        <div className={styles.foot}>
          <Button type="submit" appearance="primary" disabled={same || save.isPending}>
            {t("settings.save")}
          </Button>
          <ShowAs cli={cli(body, settings)} method="PUT" path="/alarms/settings" body={body} />
        </div>
      ) : (
        <Body1 className={styles.quiet}>{t("settings.readOnly")}</Body1>
      )}
    </form>
  );
}

interface OwnProps {
  own: Record<string, string>;
  may: boolean;
  onChange: (one: Record<string, string>) => void;
  at: ReturnType<typeof refusedAt>;
}

function Own({ own, may, onChange, at }: OwnProps) {
  const styles = useStyles();
  const t = useTexts("alarms");
  const { items } = useAll("/connectors", {});
  const known = (items ?? []).map(({ name }) => name);
  const others = Object.keys(own).filter((name) => !known.some((one) => one.toLowerCase() === name.toLowerCase()));
  const keyOf = (name: string) => Object.keys(own).find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
  const names = [...known, ...others];
  if (names.length === 0) return null;
  return (
    <>
      <Subtitle2 as="h3" className={styles.title}>
        {t("settings.own")}
      </Subtitle2>
      <Body1 className={styles.quiet}>{t("settings.ownHint")}</Body1>
      <div className={styles.own} role="group" aria-label={t("settings.own")} tabIndex={0}>
        {names.map((name) => (
          <Field key={name} label={t("settings.hours", { connector: name })} {...at(`/connectors/${name}`)}>
            <Input
              value={own[keyOf(name)] ?? ""}
              inputMode="numeric"
              disabled={!may}
              onChange={(_, { value }) => onChange({ [keyOf(name)]: value })}
            />
          </Field>
        ))}
      </div>
    </>
  );
}
