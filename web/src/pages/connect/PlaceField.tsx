import { Field, Input } from "@fluentui/react-components";
import { TextLink } from "../../components/TextLink";
import { useTexts } from "../../texts";
import { isServer, parsePlace } from "./address";
import { useConnectors } from "./data";
import "./texts";
import type { Kind } from "./types";

interface Props {
  kind: Kind;
  value: string;
  onChange: (text: string) => void;
  /** With a personal access token there may be a second connector of an organization. */
  method: string;
  /** The connector that is being changed. */
  own?: string | undefined;
  /** Only for servers: their address. */
  url?: string;
  onUrl?: (url: string) => void;
}

/** The connector that has this organization already, where only one may. */
export function useTaken(kind: Kind, organization: string | undefined, method: string, own?: string) {
  const connectors = useConnectors();
  if (organization === undefined || method === "pat") return undefined;
  return connectors.find(
    (one) =>
      one.service === kind.service &&
      one.method !== "pat" &&
      one.name !== own &&
      one.organization.toLowerCase() === organization.toLowerCase(),
  );
}

/** Where to connect to. A pasted address is understood, and what is wrong is said at once (SRE-09 to SRE-12, SRE-34 to SRE-38). */
export function PlaceField({ kind, value, onChange, method, own, url = "", onUrl }: Props) {
  const t = useTexts("connect");
  const parsed = parsePlace(kind.place, value);
  const found = "ok" in parsed ? parsed.ok : undefined;
  const isTenant = kind.place === "tenant";
  const taken = useTaken(kind, found?.organization, method, own);
  const wrong = value.trim() !== "" && "fault" in parsed ? t(`fault.${parsed.fault}`) : undefined;
  const pasted = found && found.organization !== value.trim();
  const understood = found?.part
    ? t("organization.understoodPart", { organization: found.organization, ...found.part })
    : t("organization.understood", { organization: found?.organization });
  const message = taken ? (
    <>
      <span>{t("organization.taken")}</span>
      <div>
        {t("organization.takenAdvice")}{" "}
        <TextLink to="/connectors/$name" params={{ name: taken.name }} search={{ tab: "settings" }} inline>
          {taken.name}
        </TextLink>
      </div>
    </>
  ) : (
    wrong
  );
  return (
    <>
      {kind.place === "collection" && onUrl && (
        <Field
          label={t("server.label")}
          hint={t("server.hint")}
          required
          {...(url !== "" && !isServer(url) && { validationState: "error", validationMessage: t("server.fault") })}
        >
          <Input type="url" value={url} onChange={(_, data) => onUrl(data.value)} autoComplete="off" spellCheck={false} />
        </Field>
      )}
      <Field
        label={t(`${kind.place}.label`)}
        hint={own ? undefined : t(isTenant && method !== "user" ? "tenant.needed" : `${kind.place}.hint`)}
        required={!isTenant || method !== "user"}
        validationState={message ? "error" : pasted ? "success" : "none"}
        validationMessage={message ?? (pasted ? understood : undefined)}
      >
        <Input value={value} onChange={(_, data) => onChange(data.value)} autoComplete="off" spellCheck={false} />
      </Field>
    </>
  );
}
