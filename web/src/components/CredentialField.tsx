import { Dropdown, Field, Option } from "@fluentui/react-components";
import type { Schemas } from "../api/client";
import { useAll } from "./all";

type Credential = Schemas["CredentialView"];

interface Props {
  label: string;
  hint: string;
  /** The words for choosing none; one has to be chosen when absent. */
  none?: string;
  /** Empty for none. */
  value: string;
  onChange: (name: string) => void;
  /** Which ones can be chosen. */
  fits: (credential: Credential) => boolean;
  /** What is told of one beside its name. */
  words?: (credential: Credential) => string | undefined;
}

const NONE = "*";

/** A credential of the Password Manager. */
export function CredentialField({ label, hint, none, value, onChange, fits, words }: Props) {
  const kept = useAll("/credentials", {}).items ?? [];
  return (
    <Field label={label} hint={hint}>
      <Dropdown
        value={value || (none ?? "")}
        selectedOptions={[value || NONE]}
        onOptionSelect={(_, { optionValue = NONE }) => onChange(optionValue === NONE ? "" : optionValue)}
      >
        {none !== undefined && <Option value={NONE}>{none}</Option>}
        {kept.filter(fits).map((credential) => {
          const { name } = credential;
          const more = words?.(credential);
          return (
            <Option key={name} value={name} text={name}>
              {more ? `${name} (${more})` : name}
            </Option>
          );
        })}
      </Dropdown>
    </Field>
  );
}
