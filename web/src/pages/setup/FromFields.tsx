import { Field, Input, Subtitle2, Textarea } from "@fluentui/react-components";
import type { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { useTexts } from "../../texts";
import type { Place } from "../repositories/location";
import { PlaceFields } from "../repositories/PlaceFields";

/** The repository of the server that is gone. */
export interface Old {
  place: Place;
  password: string;
  /** What opens a storage in the cloud. */
  secret: string;
}

interface Props {
  old: Old;
  onChange: (old: Old) => void;
  problem: Problem | undefined;
}

/** The repository that a server comes back from. */
export function FromFields({ old, onChange, problem }: Props) {
  const t = useTexts("setup");
  const at = refusedAt(problem);
  const { place, password, secret } = old;
  const Secret = place.storage === "gs" ? Textarea : Input;
  return (
    <>
      <Subtitle2 as="h2">{t("repository")}</Subtitle2>
      <PlaceFields place={place} onChange={(value) => onChange({ ...old, place: value })} refused={problem?.field("/restore/location") ?? problem?.field("/location")} />
      {place.storage !== "folder" && (
        <Field
          label={t(`secret.${place.storage}`)}
          hint={t(`secretHint.${place.storage}`)}
          {...at("/restore/credential_secret")}
        >
          <Secret
            {...(place.storage !== "gs" && { type: "password" as const })}
            value={secret}
            onChange={(_, { value }) => onChange({ ...old, secret: value })}
            autoComplete="off"
          />
        </Field>
      )}
      <Field label={t("repositoryPassword")} hint={t("repositoryPasswordHint")} required {...at("/restore/password")}>
        <Input type="password" value={password} onChange={(_, { value }) => onChange({ ...old, password: value })} autoComplete="off" />
      </Field>
    </>
  );
}
