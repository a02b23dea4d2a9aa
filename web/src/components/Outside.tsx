import { Button, Link } from "@fluentui/react-components";
import { OpenRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { webAddress } from "./address";

const WINDOW = { target: "_blank", rel: "noreferrer noopener" } as const;

interface Props {
  to: string;
  children: ReactNode;
}

/** A way out of the console, into a window that knows nothing of this one; words alone where the address is none of the web. */
export function OutLink({ to, children }: Props) {
  const url = webAddress(to);
  if (!url) return <>{children}</>;
  return (
    <Link href={url.href} title={url.href} {...WINDOW} inline>
      {children}
    </Link>
  );
}

/** The same as a button, which is not there without such an address. */
export function OutButton({ to, appearance, children }: Props & { appearance?: "primary" }) {
  const url = webAddress(to);
  if (!url) return null;
  return (
    <Button as="a" appearance={appearance} icon={<OpenRegular />} href={url.href} title={url.href} {...WINDOW}>
      {children}
    </Button>
  );
}
