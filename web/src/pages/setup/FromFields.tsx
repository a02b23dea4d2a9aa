import { Field, Input, Subtitle2, Textarea } from "@fluentui/react-components";
import type { Problem } from "../../api/problem";
import { refusedAt } from "../../components/form";
import { useTexts } from "../../texts";
import type { Place } from "../repositories/location";
import { PlaceFields } from "../repositories/PlaceFields";

interface Props {
  place: Place;
  onPlace: (place: Place) => void;
  password: string;
  onPassword: (password: string) => void;
  /** What opens a storage in the cloud. */
  secret: string;
  onSecret: (secret: string) => void;
  problem: Problem | undefined;
}

/** The repository that a server comes back from. */
export function FromFields({ place, onPlace, password, onPassword, secret, onSecret, problem }: Props) {
  const t = useTexts("setup");
  const at = refusedAt(problem);
  const Secret = place.storage === "gs" ? Textarea : Input;
  return (
    <>
      <Subtitle2 as="h2">{t("repository")}</Subtitle2>
      <PlaceFields place={place} onChange={onPlace} refused={problem?.field("/restore/location") ?? problem?.field("/location")} />
      {place.storage !== "folder" && (
        <Field
          label={t(`secret.${place.storage}`)}
          hint={t(`secretHint.${place.storage}`)}
          {...at("/restore/credential_secret")}
        >
          <Secret
            {...(place.storage !== "gs" && { type: "password" as const })}
            value={secret}
            onChange={(_, { value }) => onSecret(value)}
            autoComplete="off"
          />
        </Field>
      )}
      <Field label={t("repositoryPassword")} hint={t("repositoryPasswordHint")} required {...at("/restore/password")}>
        <Input type="password" value={password} onChange={(_, { value }) => onPassword(value)} autoComplete="off" />
      </Field>
    </>
  );
}
