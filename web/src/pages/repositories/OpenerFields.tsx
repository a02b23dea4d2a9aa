import { Field, Input, Radio, RadioGroup, Select, Textarea } from "@fluentui/react-components";
import { api } from "../../api/client";
import { wrong } from "../../components/form";
import { useTexts } from "../../texts";
import type { Storage } from "./location";

/** What opens a storage in the cloud. */
export type Opener = { by: "machine" } | { by: "vault"; credential: string } | { by: "new"; secret: string } | { by: "keep" };

/** The members of the request for it; `known` is the credential that the repository has. */
export function openerOf(opener: Opener, known?: string | null) {
  switch (opener.by) {
    case "machine":
      return {};
    case "vault":
      return { credential: opener.credential };
    case "keep":
      return known ? { credential: known } : {};
    case "new":
      return { ...(known && { credential: known }), credential_secret: opener.secret };
  }
}

export function openerComplete(opener: Opener): boolean {
  if (opener.by === "vault") return opener.credential !== "";
  return opener.by !== "new" || opener.secret !== "";
}

interface Props {
  storage: Exclude<Storage, "folder">;
  opener: Opener;
  onChange: (opener: Opener) => void;
  /** There is one that can be kept. */
  known?: boolean;
  refused?: { credential?: string | undefined; secret?: string | undefined };
}

export function OpenerFields({ storage, opener, onChange, known = false, refused = {} }: Props) {
  const t = useTexts("repositories");
  const repositories = api.useQuery("get", "/repositories").data?.items ?? [];
  // Secrets of storages are not listed by themselves: those are known that open another repository.
  const stored = [...new Set(repositories.flatMap(({ credential }) => credential ?? []))];
  const choose = (by: string) => {
    if (by === "vault") onChange({ by, credential: stored[0] ?? "" });
    else if (by === "new") onChange({ by, secret: "" });
    else onChange({ by: by === "keep" ? "keep" : "machine" });
  };
  const Secret = storage === "gs" ? Textarea : Input;
  return (
    <>
      <Field label={t("form.opener")}>
        <RadioGroup value={opener.by} onChange={(_, { value }) => choose(value)}>
          {known && <Radio value="keep" label={t("form.openerKeep")} />}
          <Radio value="machine" label={t("form.openerMachine")} />
          {stored.length > 0 && <Radio value="vault" label={t("form.openerVault")} />}
          <Radio value="new" label={t("form.openerNew")} />
        </RadioGroup>
      </Field>
      {opener.by === "vault" && (
        <Field label={t("form.credential")} {...wrong(refused.credential)}>
          <Select value={opener.credential} onChange={(_, { value }) => onChange({ by: "vault", credential: value })}>
            {stored.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
      )}
      {opener.by === "new" && (
        <Field
          label={t(`form.secret.${storage}`)}
          hint={`${t(`form.secretHint.${storage}`)} ${t("form.secretKept")}`}
          required
          {...wrong(refused.secret)}
        >
          <Secret
            {...(storage !== "gs" && { type: "password" as const })}
            value={opener.secret}
            onChange={(_, { value }) => onChange({ by: "new", secret: value })}
            autoComplete="off"
          />
        </Field>
      )}
    </>
  );
}
