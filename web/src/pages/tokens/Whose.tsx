import { Field, Select } from "@fluentui/react-components";
import { useTexts } from "../../texts";
import "./texts";

/** One's own, or everybody's for who manages people. */
export function Whose({ all, onChange }: { all: boolean; onChange: (all: boolean) => void }) {
  const t = useTexts("tokens");
  return (
    <Field label={t("whose")}>
      <Select value={all ? "all" : "mine"} onChange={(_, { value }) => onChange(value === "all")}>
        <option value="mine">{t("mine")}</option>
        <option value="all">{t("everybody")}</option>
      </Select>
    </Field>
  );
}
