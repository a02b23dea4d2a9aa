import { Button, Field } from "@fluentui/react-components";
import { DocumentAddRegular } from "@fluentui/react-icons";
import { useRef, useState } from "react";
import { useTexts } from "../../texts";
import "./texts";

/** No certificate with its key is longer. */
const MOST = 64 * 1024;

/** Takes a certificate and its key from files of this machine, in one or in two. What is no PEM text is refused here: nothing else is read. */
export function PemFiles({ onText }: { onText: (pem: string) => void }) {
  const t = useTexts("connect");
  const input = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(false);
  const read = async (files: readonly File[]) => {
    const small = files.every(({ size }) => size <= MOST);
    const texts = small ? await Promise.all(files.map((file) => file.text())) : [];
    const pem = texts.length > 0 && texts.every((text) => text.includes("-----BEGIN "));
    setWrong(!pem);
    if (pem) onText(texts.map((text) => text.trim()).join("\n"));
  };
  return (
    <Field {...(wrong && { validationState: "error", validationMessage: t("identity.filesFault") })}>
      <div>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept=".pem,.crt,.cer,.key"
          onChange={({ target }) => {
            const files = [...(target.files ?? [])];
            // The same file may be chosen again after it was changed.
            target.value = "";
            if (files.length > 0) void read(files);
          }}
        />
        <Button icon={<DocumentAddRegular />} onClick={() => input.current?.click()}>
          {t("identity.files")}
        </Button>
      </div>
    </Field>
  );
}
