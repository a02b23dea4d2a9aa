import { Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Once } from "../../components/Once";
import { ShowAs } from "../../components/ShowAs";
import { useTell } from "../../components/tell";
import { useTexts } from "../../texts";
import { LockFields, type Lock } from "./LockFields";
import { complete, format, NOWHERE, type Place } from "./location";
import { type Opener, openerComplete, OpenerFields, openerOf } from "./OpenerFields";
import { PlaceFields } from "./PlaceFields";

type Body = Schemas["AddRepository"];

const SHOWN = ["/name", "/location", "/credential", "/credential_secret", "/password", "/object_lock/days"];

interface Draft {
  name: string;
  existing: boolean;
  place: Place;
  opener: Opener;
  /** None where one is made. */
  password: string | undefined;
  lock: Lock | null;
}

const EMPTY: Draft = { name: "", existing: false, place: NOWHERE, opener: { by: "machine" }, password: undefined, lock: null };

function bodyOf({ name, existing, place, opener, password, lock }: Draft): Body {
  const cloud = place.storage !== "folder";
  return {
    name: name.trim(),
    location: format(place),
    existing,
    ...(cloud && openerOf(opener)),
    ...(cloud && lock && { object_lock: lock }),
    ...(password && { password }),
  };
}

function isWhole({ name, existing, place, opener, password }: Draft): boolean {
  return name.trim() !== "" && complete(place) && (place.storage === "folder" || openerComplete(opener)) && (existing || password !== "");
}

export function AddRepository({ onClose }: { onClose: () => void }) {
  const t = useTexts("repositories");
  const tell = useTell();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(EMPTY);
  const arrive = (repository: string) => {
    tell(t("added", { name: repository }));
    return navigate({ to: "/repositories/$name", params: { name: repository }, replace: true });
  };
  const add = api.useMutation("post", "/repositories", {
    onSuccess: async (added) => {
      if (!added.password) await arrive(added.repository.name);
    },
  });
  const body = bodyOf(draft);
  if (add.data?.password) {
    const { repository, password } = add.data;
    return (
      <Once
        title={t("once.title")}
        warning={t("once.warning", { name: repository.name })}
        secret={password ?? ""}
        onClose={() => void arrive(repository.name)}
      >
        {t("once.next")}
      </Once>
    );
  }
  return (
    <FormDialog
      title={t("form.addTitle")}
      submit={add.isPending ? t("form.busy") : t("form.add")}
      busy={add.isPending}
      ready={isWhole(draft)}
      error={add.error}
      fields={SHOWN}
      showAs={<ShowAs cli={cli(body)} method="POST" path="/repositories" body={masked(body)} />}
      onSubmit={() => add.mutate({ body })}
      onCancel={onClose}
    >
      <Fields draft={draft} onChange={(change) => setDraft((before) => ({ ...before, ...change }))} error={add.error} />
    </FormDialog>
  );
}

interface FieldsProps {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  error: unknown;
}

function Fields({ draft: { name, existing, place, opener, password, lock }, onChange, error }: FieldsProps) {
  const t = useTexts("repositories");
  const at = refusedAt(error);
  const refused = error ? Problem.from(error) : undefined;
  const { storage } = place;
  return (
    <>
      <Field label={t("form.name")} hint={t("form.nameHint")} required {...at("/name")}>
        <Input value={name} onChange={(_, { value }) => onChange({ name: value })} autoComplete="off" />
      </Field>
      <Field label={t("form.existing")}>
        <RadioGroup value={existing ? "old" : "new"} onChange={(_, { value }) => onChange({ existing: value === "old", password: undefined })}>
          <Radio value="new" label={t("form.isNew")} />
          <Radio value="old" label={t("form.isOld")} />
        </RadioGroup>
      </Field>
      <PlaceFields place={place} onChange={(value) => onChange({ place: value })} refused={refused?.field("/location")} />
      {storage !== "folder" && (
        <OpenerFields
          storage={storage}
          opener={opener}
          onChange={(value) => onChange({ opener: value })}
          refused={{ credential: refused?.field("/credential"), secret: refused?.field("/credential_secret") }}
        />
      )}
      <PasswordFields existing={existing} password={password} onChange={(value) => onChange({ password: value })} at={at} />
      {storage !== "folder" && <LockFields lock={lock} onChange={(value) => onChange({ lock: value })} refused={refused?.field("/object_lock/days")} />}
    </>
  );
}

interface PasswordProps {
  existing: boolean;
  /** None where one is made. */
  password: string | undefined;
  onChange: (password: string | undefined) => void;
  at: ReturnType<typeof refusedAt>;
}

/** The password of the restic repository: made for a new one unless somebody has one of their own, known of an old one. */
function PasswordFields({ existing, password, onChange, at }: PasswordProps) {
  const t = useTexts("repositories");
  const own = password !== undefined;
  return (
    <>
      {!existing && (
        <Field label={t("form.password")}>
          <RadioGroup value={own ? "own" : "made"} onChange={(_, { value }) => onChange(value === "own" ? "" : undefined)}>
            <Radio value="made" label={t("form.passwordMade")} />
            <Radio value="own" label={t("form.passwordOwn")} />
          </RadioGroup>
        </Field>
      )}
      {(existing || own) && (
        <Field label={t(existing ? "form.passwordOld" : "form.password")} hint={existing ? t("form.passwordVault") : undefined} required={!existing} {...at("/password")}>
          <Input type="password" value={password ?? ""} onChange={(_, { value }) => onChange(value)} autoComplete="new-password" />
        </Field>
      )}
    </>
  );
}

/** The request as it can be shown: secrets are named, not shown. */
function masked(body: Body): Body {
  return {
    ...body,
    ...(body.password && { password: "PASSWORD" }),
    ...(body.credential_secret && { credential_secret: "SECRET" }),
  };
}

function cli(body: Body): string[] {
  return [
    "repository",
    body.existing ? "add" : "init",
    body.location || "LOCATION",
    "--name",
    body.name || "NAME",
    ...(body.existing || body.password ? ["--password-file", "FILE"] : []),
    ...(body.credential ? ["--credential", body.credential] : []),
    ...(body.credential_secret ? ["--storage-secret-file", "FILE"] : []),
    ...(body.object_lock
      ? ["--object-lock", body.object_lock.mode, "--object-lock-days", String(body.object_lock.days)]
      : []),
  ];
}
