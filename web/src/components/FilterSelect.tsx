import { Field, Select } from "@fluentui/react-components";
import { useTexts } from "../texts";

interface Props {
  label: string;
  /** Nothing is all. */
  value: string | undefined;
  options: { value: string; title: string }[];
  onChange: (value: string | undefined) => void;
}

/** Narrows a list by one of its members. A value that is no option any more stays shown. */
export function FilterSelect({ label, value, options, onChange }: Props) {
  const t = useTexts();
  const known = value === undefined || options.some((option) => option.value === value);
  return (
    <Field label={label}>
      <Select value={value ?? ""} onChange={(_, data) => onChange(data.value || undefined)}>
        <option value="">{t("filter.all")}</option>
        {!known && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </Select>
    </Field>
  );
}
