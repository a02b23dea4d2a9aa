import { Dropdown, Field, Option } from "@fluentui/react-components";
import { useAll } from "../../components/all";
import { type Credential, useCredentialWords } from "./Words";

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
  /** What else is told of one beside its name. */
  words?: (credential: Credential) => string | undefined;
}

const NONE = "*";

/** A credential of the Password Manager. */
export function CredentialField({ label, hint, none, value, onChange, fits, words }: Props) {
  const kept = useAll("/credentials", {}).items ?? [];
  const told = useCredentialWords();
  const whole = (credential: Credential) => told(credential, words?.(credential));
  const chosen = kept.find(({ name }) => name === value);
  return (
    <Field label={label} hint={hint}>
      <Dropdown
        value={chosen ? whole(chosen) : value || (none ?? "")}
        selectedOptions={[value || NONE]}
        onOptionSelect={(_, { optionValue = NONE }) => onChange(optionValue === NONE ? "" : optionValue)}
      >
        {none !== undefined && <Option value={NONE}>{none}</Option>}
        {kept.filter(fits).map((credential) => {
          const { name } = credential;
          return (
            <Option key={name} value={name} text={whole(credential)}>
              {whole(credential)}
            </Option>
          );
        })}
      </Dropdown>
    </Field>
  );
}
