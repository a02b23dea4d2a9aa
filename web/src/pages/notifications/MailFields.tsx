import { Field, Input, Select } from "@fluentui/react-components";
import { type refusedAt, useFormStyles } from "../../components/form";
import { useTexts } from "../../texts";
import type { Draft } from "./channel";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  at: ReturnType<typeof refusedAt>;
}

export function MailFields({ draft, onChange, at }: Props) {
  const t = useTexts("notifications");
  const form = useFormStyles();
  const text = (member: "host" | "port" | "user" | "from" | "to") => ({
    value: draft[member],
    onChange: (_: unknown, { value }: { value: string }) => onChange({ ...draft, [member]: value }),
    autoComplete: "off",
  });
  return (
    <>
      <div className={form.row}>
        <Field label={t("form.host")} required {...at("/to/host")}>
          <Input {...text("host")} placeholder="smtp.example.com" />
        </Field>
        <Field label={t("form.security")}>
          <Select
            value={draft.security}
            onChange={(_, { value }) => onChange({ ...draft, security: value as Draft["security"] })}
          >
            {(["starttls", "tls", "none"] as const).map((one) => (
              <option key={one} value={one}>
                {t(`form.securities.${one}`)}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      <div className={form.row}>
        <Field label={t("form.port")} hint={t("form.portHint")} {...at("/to/port")}>
          <Input {...text("port")} type="number" min={1} max={65535} />
        </Field>
        <Field label={t("form.user")} {...at("/to/user")}>
          <Input {...text("user")} />
        </Field>
      </div>
      <Field label={t("form.from")} required {...at("/to/from")}>
        <Input {...text("from")} type="email" />
      </Field>
      <Field label={t("form.to")} hint={t("form.toHint")} required {...at("/to/to")}>
        <Input {...text("to")} />
      </Field>
    </>
  );
}
