import { Checkbox, Field, Input, Select } from "@fluentui/react-components";
import { useFormStyles, wrong } from "../../components/form";
import { useTexts } from "../../texts";
import type { Place, Storage } from "./location";
import "./texts";

interface Props {
  place: Place;
  onChange: (place: Place) => void;
  /** What was refused of the location. */
  refused?: string | undefined;
}

const STORAGES: Storage[] = ["folder", "s3", "azure", "gs"];

/** Where a repository lies, asked for in its parts. */
export function PlaceFields({ place, onChange, refused }: Props) {
  const t = useTexts("repositories");
  const form = useFormStyles();
  const cloud = place.storage !== "folder";
  const set = (change: Partial<Place>) => onChange({ ...place, ...change });
  const text = (member: "path" | "account" | "bucket" | "prefix" | "endpoint" | "region") => ({
    value: place[member],
    onChange: (_: unknown, { value }: { value: string }) => set({ [member]: value }),
    autoComplete: "off",
  });
  return (
    <>
      <Field label={t("form.storage")}>
        <Select value={place.storage} onChange={(_, { value }) => set({ storage: value as Storage })}>
          {STORAGES.map((storage) => (
            <option key={storage} value={storage}>
              {t(`form.${storage}`)}
            </option>
          ))}
        </Select>
      </Field>
      {!cloud && (
        <Field label={t("form.path")} hint={t("form.pathHint")} required {...wrong(refused)}>
          <Input {...text("path")} placeholder="/backup/contoso" />
        </Field>
      )}
      {cloud && (
        <>
          <div className={form.row}>
            {place.storage === "azure" && (
              <Field label={t("form.account")} required>
                <Input {...text("account")} />
              </Field>
            )}
            <Field label={t(place.storage === "azure" ? "form.container" : "form.bucket")} required {...wrong(refused)}>
              <Input {...text("bucket")} />
            </Field>
            <Field label={t("form.prefix")}>
              <Input {...text("prefix")} />
            </Field>
          </div>
          <div className={form.row}>
            {place.storage === "s3" && (
              <Field label={t("form.region")}>
                <Input {...text("region")} placeholder="eu-central-1" />
              </Field>
            )}
            <Field label={t("form.endpoint")} hint={t("form.endpointHint")}>
              <Input {...text("endpoint")} />
            </Field>
          </div>
          {place.storage === "s3" && place.endpoint !== "" && (
            <Checkbox
              label={t("form.virtualHost")}
              checked={place.virtualHost}
              onChange={(_, { checked }) => set({ virtualHost: checked === true })}
            />
          )}
        </>
      )}
    </>
  );
}
