import { Field, Input, type InputProps } from "@fluentui/react-components";

const NARROW = { minWidth: 0 };

interface Props {
  label: string;
  value: string | undefined;
  placeholder?: string;
  type?: InputProps["type"];
  onChange: (value: string | undefined) => void;
}

/** Narrows a list by a text, once it is typed: at Enter, or when the field is left. */
export function FilterText({ label, value = "", placeholder, type, onChange }: Props) {
  const commit = (text: string) => text.trim() !== value && onChange(text.trim() || undefined);
  return (
    // Fields for dates are wider than their column and would not shrink.
    <Field label={label} style={NARROW}>
      <Input
        // The address may change by itself: the way back shows what it was then.
        key={value}
        {...(type !== undefined && { type })}
        defaultValue={value}
        placeholder={placeholder}
        autoComplete="off"
        style={NARROW}
        onBlur={({ target }) => commit(target.value)}
        onKeyDown={({ key, currentTarget }) => key === "Enter" && commit((currentTarget as HTMLInputElement).value)}
      />
    </Field>
  );
}
