import { Combobox, Field, Option, OptionGroup } from "@fluentui/react-components";
import { useState } from "react";
import { api } from "../../api/client";
import { useTexts } from "../../texts";
import { FIXED } from "./content";
import { refName } from "./git";

/** The branches and tags of a repository; `name` narrows them. */
export function useRefs(snapshot: string, path: string, name = "", limit = 100, enabled = true) {
  const params = { path: { id: snapshot }, query: { path, limit, ...(name && { name }) } };
  return api.useQuery("get", "/snapshots/{id}/git/refs", { params }, { enabled, ...FIXED });
}

interface Props {
  snapshot: string;
  path: string;
  value: string | undefined;
  head: string | undefined;
  onChange: (ref: string) => void;
}

/** Chooses a branch or tag by typing a part of its name. */
export function RefPicker({ snapshot, path, value, head, onChange }: Props) {
  const t = useTexts("browse");
  const [text, setText] = useState<string>();
  const refs = useRefs(snapshot, path, text);
  const items = refs.data?.items ?? [];
  const shown = value ?? head ?? "";
  return (
    <Field label={t("git.ref")} style={{ maxWidth: "420px" }}>
      <Combobox
        freeform
        value={text ?? refName(shown).name}
        selectedOptions={[shown]}
        placeholder={t("git.find")}
        onChange={(event) => setText(event.target.value)}
        onOptionSelect={(_, { optionValue }) => {
          setText(undefined);
          if (optionValue) onChange(optionValue);
        }}
        onBlur={() => setText(undefined)}
      >
        {(["branch", "tag", "other"] as const).map((type) => {
          const group = items.filter(({ name }) => refName(name).type === type);
          return (
            group.length > 0 && (
              <OptionGroup key={type} label={t(`git.${type}`)}>
                {group.map(({ name }) => (
                  <Option key={name} value={name} text={refName(name).name}>
                    {refName(name).name}
                    {name === head && ` (${t("git.head")})`}
                  </Option>
                ))}
              </OptionGroup>
            )
          );
        })}
      </Combobox>
    </Field>
  );
}
