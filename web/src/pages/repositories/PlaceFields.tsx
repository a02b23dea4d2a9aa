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
  const Parts = place.storage === "folder" ? FolderFields : CloudFields;
  return (
    <>
      <Field label={t("form.storage")}>
        <Select value={place.storage} onChange={(_, { value }) => onChange({ ...place, storage: value as Storage })}>
          {STORAGES.map((storage) => (
            <option key={storage} value={storage}>
              {t(`form.${storage}`)}
            </option>
          ))}
        </Select>
      </Field>
      <Parts place={place} onChange={onChange} refused={refused} />
    </>
  );
}

/** An input of one part of the place. */
function input({ place, onChange }: Props, member: "path" | "account" | "bucket" | "prefix" | "endpoint" | "region") {
  return {
    value: place[member],
    onChange: (_: unknown, { value }: { value: string }) => onChange({ ...place, [member]: value }),
    autoComplete: "off",
  };
}

function FolderFields(props: Props) {
  const t = useTexts("repositories");
  return (
    <Field label={t("form.path")} hint={t("form.pathHint")} required {...wrong(props.refused)}>
      <Input {...input(props, "path")} placeholder="/backup/contoso" />
    </Field>
  );
}

function CloudFields(props: Props) {
  const t = useTexts("repositories");
  const form = useFormStyles();
  const { place, onChange, refused } = props;
  const { storage } = place;
  return (
    <>
      <div className={form.row}>
        {storage === "azure" && (
          <Field label={t("form.account")} required>
            <Input {...input(props, "account")} />
          </Field>
        )}
        <Field label={t(storage === "azure" ? "form.container" : "form.bucket")} required {...wrong(refused)}>
          <Input {...input(props, "bucket")} />
        </Field>
        <Field label={t("form.prefix")}>
          <Input {...input(props, "prefix")} />
        </Field>
      </div>
      <div className={form.row}>
        {storage === "s3" && (
          <Field label={t("form.region")}>
            <Input {...input(props, "region")} placeholder="eu-central-1" />
          </Field>
        )}
        <Field label={t("form.endpoint")} hint={t("form.endpointHint")}>
          <Input {...input(props, "endpoint")} />
        </Field>
      </div>
      {storage === "s3" && place.endpoint !== "" && (
        <Checkbox
          label={t("form.virtualHost")}
          checked={place.virtualHost}
          onChange={(_, { checked }) => onChange({ ...place, virtualHost: checked === true })}
        />
      )}
    </>
  );
}
